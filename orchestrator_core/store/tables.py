"""The tables as peewee knows them; `schema` says how they are made. Nothing outside the store sees these."""

from __future__ import annotations

from peewee import AutoField, BooleanField, FloatField, IntegerField, Model, TextField


class Table(Model):
    """What all have in common: `AgentRow` is a row of the table `agent`."""

    class Meta:
        """As peewee wants it."""

        @staticmethod
        def table_function(model: type[Model]) -> str:
            """Return the name of a model's table."""
            return model.__name__.removesuffix("Row").lower()


class OrchestrationRow(Table):
    """An orchestration; `seq` counts them in the order they were claimed."""

    seq = AutoField()
    id = TextField(unique=True)
    project = TextField()
    project_name = TextField()
    session = TextField()
    starting_branch = TextField()
    base_commit = TextField()
    state = TextField()
    session_id = TextField(null=True)
    server = TextField()
    spec_path = TextField()
    goal = TextField()
    driver = TextField()
    plan = TextField()
    team_type = TextField()
    is_demo = BooleanField()
    is_adopted = BooleanField()
    check_ins_paused_at = FloatField(null=True)
    paused_at = FloatField(null=True)
    boot_id = TextField()
    offered_boot_id = TextField()
    failure = TextField()
    launcher_pid = IntegerField(null=True)
    launcher_started = FloatField(null=True)
    created_at = FloatField()


class AgentRow(Table):
    """An agent; `seq` gives the order of the windows."""

    seq = AutoField()
    id = TextField(unique=True)
    orchestration = TextField()
    role = TextField()
    driver = TextField()
    worktree = TextField()
    branch = TextField()
    status = TextField()
    reason = TextField()
    doing = TextField()
    waiting_for = TextField()
    dialog = TextField(null=True)
    status_since = FloatField()
    pane = TextField(null=True)
    window = TextField(null=True)
    pid = IntegerField(null=True)
    pid_started = FloatField(null=True)
    conversation = TextField()
    last_output = TextField()
    check_in_min = FloatField(null=True)
    limited_until = FloatField(null=True)
    model = TextField()
    permission_mode = TextField()
    account = TextField()
    context_used = FloatField(null=True)
    cost_usd = FloatField(null=True)
    restarts = IntegerField()
    restarted_at = FloatField(null=True)
    held_reason = TextField()
    is_adopted = BooleanField()
    created_at = FloatField()


class MessageRow(Table):
    """A message of the outbox. `is_duplicate` marks the row that stands for suppressed messages."""

    id = AutoField()
    target = TextField()
    sender = TextField()
    text = TextField()
    state = TextField()
    reason = TextField()
    mode = TextField()
    kind = TextField()
    pane = TextField(null=True)
    suppressed = IntegerField()
    is_duplicate = BooleanField()
    created_at = FloatField()
    claimed_at = FloatField(null=True)
    delivered_at = FloatField(null=True)
    acknowledged_at = FloatField(null=True)


class EventRow(Table):
    """A line of the log. Events outlive what they speak of, so they refer to nothing."""

    id = AutoField()
    at = FloatField()
    kind = TextField()
    text = TextField()
    orchestration = TextField()
    agent = TextField()


class HealthRow(Table):
    """The supervisor's signs of life: one row."""

    id = IntegerField(primary_key=True)
    pid = IntegerField(null=True)
    pid_started = FloatField(null=True)
    heartbeat_at = FloatField(null=True)
    last_error = TextField()
    last_error_at = FloatField(null=True)
    stopped_at = FloatField(null=True)


class JournalRow(Table):
    """One thing that a start has made; `payload` is a JSON object."""

    id = AutoField()
    orchestration = TextField()
    kind = TextField()
    payload = TextField()
    is_open = BooleanField()


class HookFactRow(Table):
    """The latest hook of an agent that says anything of its state."""

    agent = TextField(primary_key=True)
    event = TextField()
    claim = TextField()
    at = FloatField()
    conversation = TextField()
    detail = TextField()
    has_background = BooleanField()


class NeedRow(Table):
    """What needs the person; `choices` is a JSON array."""

    key = TextField(primary_key=True)
    kind = TextField()
    orchestration = TextField()
    agent = TextField()
    message = IntegerField(null=True)
    detail = TextField()
    choices = TextField()
    fingerprint = TextField()
    since = FloatField()
    notified_at = FloatField(null=True)
    dismissed_at = FloatField(null=True)


class AnswerRow(Table):
    """A choice of the person for an agent's dialog."""

    id = AutoField()
    agent = TextField()
    fingerprint = TextField()
    choice = TextField()
    state = TextField()
    reason = TextField()
    created_at = FloatField()


class RouteRow(Table):
    """One role of an orchestration may write to another."""

    orchestration = TextField()
    sender = TextField()
    target = TextField()

    class Meta:
        """As peewee wants it."""

        primary_key = False


class CheckInRow(Table):
    """A scheduled message; `version` is higher the later a row was written."""

    id = AutoField()
    target = TextField()
    author = TextField()
    note = TextField()
    kind = TextField()
    due_at = FloatField()
    interval_s = FloatField(null=True)
    anchor_at = FloatField()
    cron = TextField()
    zone = TextField()
    is_standing = BooleanField()
    state = TextField()
    reason = TextField()
    attempts = IntegerField()
    retry_at = FloatField(null=True)
    set_at = FloatField()
    created_at = FloatField()
    ended_at = FloatField(null=True)
    version = IntegerField()


class FiringRow(Table):
    """What came of a check-in at one of its due times."""

    id = AutoField()
    check_in = IntegerField()
    target = TextField()
    due_at = FloatField()
    fired_at = FloatField()
    missed = IntegerField()
    outcome = TextField()
    message = IntegerField(null=True)
    reason = TextField()


class ProposalRow(Table):
    """A proposal; `body` is the whole of it as JSON."""

    id = AutoField()
    project = TextField()
    body = TextField()
    state = TextField()
    orchestration = TextField(null=True)
    saved_at = FloatField()


class ReadingRow(Table):
    """How much of an account's window was used, as somebody told it."""

    id = AutoField()
    account = TextField()
    window = TextField()
    at = FloatField()
    source = TextField()
    confidence = TextField()
    used_percentage = FloatField(null=True)
    resets_at = FloatField(null=True)
    is_limit = BooleanField()
    agent = TextField()


class AgentUseRow(Table):
    """What an agent had used by a moment."""

    id = AutoField()
    agent = TextField()
    at = FloatField()
    conversation = TextField()
    cost_usd = FloatField(null=True)
    context_used = FloatField(null=True)
    context_size = IntegerField(null=True)
    input_tokens = IntegerField(null=True)
    output_tokens = IntegerField(null=True)
    model = TextField()


class UpkeepRow(Table):
    """An agent that was told that its context is nearly full."""

    agent = TextField(primary_key=True)
    conversation = TextField()
    checkpoint = IntegerField()
    compaction = IntegerField(null=True)
    at = FloatField()


class ContinuationRow(Table):
    """One account's way out of one limit."""

    id = AutoField()
    account = TextField()
    resets_at = FloatField()
    is_estimate = BooleanField()
    state = TextField()
    next_at = FloatField()
    attempts = IntegerField()
    reason = TextField()
    created_at = FloatField()
    ended_at = FloatField(null=True)


class NudgeRow(Table):
    """An agent that was told to go on after a limit: once in each attempt."""

    continuation = IntegerField()
    agent = TextField()
    attempt = IntegerField()
    message = IntegerField()
    at = FloatField()

    class Meta:
        """As peewee wants it."""

        primary_key = False


TABLES: tuple[type[Table], ...] = (
    *(OrchestrationRow, AgentRow, MessageRow, EventRow, HealthRow, JournalRow),
    *(HookFactRow, NeedRow, AnswerRow, RouteRow, CheckInRow, FiringRow),
    *(ProposalRow, ReadingRow, AgentUseRow, UpkeepRow, ContinuationRow, NudgeRow),
)
