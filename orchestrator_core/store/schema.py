"""The tables, as a series of migrations: each brings a database from the version before it to its own.

A migration that is released is never changed; what is to be different comes as another one.
"""

from __future__ import annotations

APPLICATION_ID = 0x746D6F72
"""`tmor`, in the file's header: tells our database from another program's."""

AS_BUILT = (
    """
    CREATE TABLE orchestration (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE CHECK (id <> ''),
        project TEXT NOT NULL CHECK (project <> ''),
        project_name TEXT NOT NULL,
        session TEXT NOT NULL,
        starting_branch TEXT NOT NULL,
        base_commit TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('starting', 'running', 'stopped', 'failed', 'cleaned')),
        session_id TEXT,
        server TEXT NOT NULL,
        spec_path TEXT NOT NULL,
        goal TEXT NOT NULL,
        driver TEXT NOT NULL,
        plan TEXT NOT NULL,
        team_type TEXT NOT NULL,
        is_demo INTEGER NOT NULL CHECK (is_demo IN (0, 1)),
        failure TEXT NOT NULL,
        launcher_pid INTEGER,
        launcher_started REAL,
        created_at REAL NOT NULL
    )
    """,
    """
    CREATE UNIQUE INDEX orchestration_one_active_per_project
    ON orchestration (project) WHERE state IN ('starting', 'running')
    """,
    "CREATE INDEX orchestration_by_state ON orchestration (state)",
    """
    CREATE TABLE agent (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE CHECK (id <> ''),
        orchestration TEXT NOT NULL REFERENCES orchestration (id),
        role TEXT NOT NULL CHECK (role <> ''),
        driver TEXT NOT NULL,
        worktree TEXT NOT NULL,
        branch TEXT NOT NULL,
        status TEXT NOT NULL CHECK (
            status IN ('starting', 'working', 'idle', 'waiting', 'limited', 'exited', 'failed', 'unknown')
        ),
        reason TEXT NOT NULL,
        doing TEXT NOT NULL,
        waiting_for TEXT NOT NULL,
        status_since REAL NOT NULL,
        pane TEXT,
        window TEXT,
        pid INTEGER,
        pid_started REAL,
        conversation TEXT NOT NULL,
        last_output TEXT NOT NULL,
        created_at REAL NOT NULL,
        UNIQUE (orchestration, role)
    )
    """,
    "CREATE INDEX agent_by_pane ON agent (pane) WHERE pane IS NOT NULL",
    """
    CREATE TABLE message (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        target TEXT NOT NULL REFERENCES agent (id),
        sender TEXT NOT NULL CHECK (sender <> ''),
        text TEXT NOT NULL,
        state TEXT NOT NULL CHECK (
            state IN ('queued', 'delivering', 'delivered', 'acknowledged', 'refused', 'unconfirmed')
        ),
        reason TEXT NOT NULL,
        mode TEXT NOT NULL CHECK (mode IN ('when-idle', 'now')),
        kind TEXT NOT NULL CHECK (kind IN ('text', 'briefing')),
        pane TEXT,
        suppressed INTEGER NOT NULL CHECK (suppressed >= 0),
        is_duplicate INTEGER NOT NULL CHECK (is_duplicate IN (0, 1)),
        created_at REAL NOT NULL,
        claimed_at REAL,
        delivered_at REAL
    )
    """,
    "CREATE INDEX message_by_state ON message (state, target)",
    "CREATE INDEX message_by_target ON message (target)",
    "CREATE INDEX message_by_sender ON message (target, sender, created_at)",
    """
    CREATE TABLE event (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at REAL NOT NULL,
        kind TEXT NOT NULL CHECK (kind <> ''),
        text TEXT NOT NULL,
        orchestration TEXT NOT NULL,
        agent TEXT NOT NULL
    )
    """,
    "CREATE INDEX event_by_orchestration ON event (orchestration)",
    """
    CREATE TABLE health (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        pid INTEGER,
        pid_started REAL,
        heartbeat_at REAL,
        last_error TEXT NOT NULL DEFAULT '',
        last_error_at REAL,
        stopped_at REAL
    )
    """,
    "INSERT INTO health (id) VALUES (1)",
    """
    CREATE TABLE journal (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        orchestration TEXT NOT NULL REFERENCES orchestration (id),
        kind TEXT NOT NULL CHECK (kind <> ''),
        payload TEXT NOT NULL,
        is_open INTEGER NOT NULL CHECK (is_open IN (0, 1))
    )
    """,
    "CREATE INDEX journal_open ON journal (orchestration, is_open)",
)

EVIDENCE_AND_NEEDS = (
    "ALTER TABLE orchestration ADD COLUMN is_adopted INTEGER NOT NULL DEFAULT 0 CHECK (is_adopted IN (0, 1))",
    "ALTER TABLE agent ADD COLUMN is_adopted INTEGER NOT NULL DEFAULT 0 CHECK (is_adopted IN (0, 1))",
    "ALTER TABLE agent ADD COLUMN dialog TEXT",
    "ALTER TABLE message ADD COLUMN acknowledged_at REAL",
    "CREATE INDEX message_by_claim ON message (target, sender, claimed_at)",
    "CREATE INDEX message_by_age ON message (sender, created_at)",
    "CREATE INDEX event_by_agent ON event (agent)",
    """
    CREATE TABLE hookfact (
        agent TEXT PRIMARY KEY REFERENCES agent (id),
        event TEXT NOT NULL,
        claim TEXT NOT NULL,
        at REAL NOT NULL,
        conversation TEXT NOT NULL,
        detail TEXT NOT NULL,
        has_background INTEGER NOT NULL CHECK (has_background IN (0, 1))
    )
    """,
    """
    CREATE TABLE need (
        key TEXT PRIMARY KEY CHECK (key <> ''),
        kind TEXT NOT NULL,
        orchestration TEXT NOT NULL,
        agent TEXT NOT NULL,
        message INTEGER,
        detail TEXT NOT NULL,
        choices TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        since REAL NOT NULL,
        notified_at REAL,
        dismissed_at REAL
    )
    """,
    """
    CREATE TABLE answer (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        agent TEXT NOT NULL REFERENCES agent (id),
        fingerprint TEXT NOT NULL,
        choice TEXT NOT NULL CHECK (choice <> ''),
        state TEXT NOT NULL CHECK (state IN ('pending', 'giving', 'given', 'refused', 'unconfirmed')),
        reason TEXT NOT NULL,
        created_at REAL NOT NULL
    )
    """,
    "CREATE INDEX answer_by_state ON answer (state)",
    """
    CREATE TABLE route (
        orchestration TEXT NOT NULL REFERENCES orchestration (id),
        sender TEXT NOT NULL,
        target TEXT NOT NULL,
        PRIMARY KEY (orchestration, sender, target)
    )
    """,
)

SCHEDULE = (
    "ALTER TABLE orchestration ADD COLUMN check_ins_paused_at REAL",
    "ALTER TABLE agent ADD COLUMN check_in_min REAL",
    "ALTER TABLE agent ADD COLUMN limited_until REAL",
    """
    CREATE TABLE checkin (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        target TEXT NOT NULL REFERENCES agent (id),
        author TEXT NOT NULL CHECK (author <> ''),
        note TEXT NOT NULL CHECK (note <> ''),
        kind TEXT NOT NULL CHECK (kind IN ('once', 'every', 'cron')),
        due_at REAL NOT NULL CHECK (typeof(due_at) = 'real'),
        interval_s REAL CHECK (kind <> 'every' OR (typeof(interval_s) = 'real' AND interval_s > 0)),
        anchor_at REAL NOT NULL CHECK (typeof(anchor_at) = 'real'),
        cron TEXT NOT NULL CHECK (kind <> 'cron' OR cron <> ''),
        zone TEXT NOT NULL CHECK (kind <> 'cron' OR zone <> ''),
        is_standing INTEGER NOT NULL CHECK (is_standing IN (0, 1)),
        state TEXT NOT NULL CHECK (state IN ('active', 'fired', 'cancelled', 'dead')),
        reason TEXT NOT NULL,
        attempts INTEGER NOT NULL CHECK (attempts >= 0),
        retry_at REAL CHECK (retry_at IS NULL OR typeof(retry_at) = 'real'),
        set_at REAL NOT NULL,
        created_at REAL NOT NULL,
        ended_at REAL,
        version INTEGER NOT NULL
    )
    """,
    "CREATE INDEX checkin_by_time ON checkin (COALESCE(retry_at, due_at)) WHERE state = 'active'",
    "CREATE INDEX checkin_by_due ON checkin (state, due_at)",
    "CREATE INDEX checkin_by_target ON checkin (target, state, due_at)",
    "CREATE INDEX checkin_dead ON checkin (ended_at) WHERE state = 'dead'",
    "CREATE INDEX checkin_standing ON checkin (target) WHERE state = 'active' AND is_standing = 1",
    "CREATE INDEX checkin_by_author ON checkin (author, state)",
    "CREATE INDEX checkin_by_version ON checkin (version)",
    """
    CREATE TABLE firing (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        check_in INTEGER NOT NULL REFERENCES checkin (id),
        target TEXT NOT NULL REFERENCES agent (id),
        due_at REAL NOT NULL,
        fired_at REAL NOT NULL,
        missed INTEGER NOT NULL CHECK (missed >= 0),
        outcome TEXT NOT NULL CHECK (outcome IN ('sent', 'skipped')),
        message INTEGER REFERENCES message (id) CHECK (outcome <> 'sent' OR message IS NOT NULL),
        reason TEXT NOT NULL,
        UNIQUE (check_in, due_at)
    )
    """,
    "CREATE INDEX firing_by_time ON firing (fired_at)",
    "CREATE INDEX firing_by_target ON firing (target, outcome, fired_at)",
)

PROPOSALS = (
    "ALTER TABLE agent ADD COLUMN model TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE agent ADD COLUMN permission_mode TEXT NOT NULL DEFAULT ''",
    """
    CREATE TABLE proposal (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        project TEXT NOT NULL CHECK (project <> ''),
        body TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('saved', 'started', 'discarded')),
        orchestration TEXT REFERENCES orchestration (id),
        saved_at REAL NOT NULL
    )
    """,
    "CREATE INDEX proposal_by_state ON proposal (state)",
    "CREATE INDEX proposal_by_orchestration ON proposal (orchestration) WHERE orchestration IS NOT NULL",
)

CREDIT_AND_RECOVERY = (
    "ALTER TABLE agent ADD COLUMN account TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE agent ADD COLUMN context_used REAL",
    "ALTER TABLE agent ADD COLUMN cost_usd REAL",
    "ALTER TABLE agent ADD COLUMN restarts INTEGER NOT NULL DEFAULT 0 CHECK (restarts >= 0)",
    "ALTER TABLE agent ADD COLUMN restarted_at REAL",
    "ALTER TABLE agent ADD COLUMN held_reason TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE orchestration ADD COLUMN boot_id TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE orchestration ADD COLUMN offered_boot_id TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE orchestration ADD COLUMN paused_at REAL",
    """
    CREATE TABLE reading (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        account TEXT NOT NULL CHECK (account <> ''),
        window TEXT NOT NULL CHECK (window <> ''),
        at REAL NOT NULL CHECK (typeof(at) = 'real'),
        source TEXT NOT NULL CHECK (source IN ('status-line', 'record', 'print', 'screen', 'guess')),
        confidence TEXT NOT NULL CHECK (confidence IN ('sure', 'likely', 'estimate')),
        used_percentage REAL,
        resets_at REAL,
        is_limit INTEGER NOT NULL CHECK (is_limit IN (0, 1)),
        agent TEXT NOT NULL
    )
    """,
    "CREATE INDEX reading_by_window ON reading (account, window, at)",
    """
    CREATE TABLE agentuse (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        agent TEXT NOT NULL REFERENCES agent (id),
        at REAL NOT NULL CHECK (typeof(at) = 'real'),
        conversation TEXT NOT NULL,
        cost_usd REAL,
        context_used REAL,
        context_size INTEGER,
        input_tokens INTEGER,
        output_tokens INTEGER,
        model TEXT NOT NULL
    )
    """,
    "CREATE INDEX agentuse_by_agent ON agentuse (agent, at)",
    """
    CREATE TABLE upkeep (
        agent TEXT PRIMARY KEY REFERENCES agent (id),
        conversation TEXT NOT NULL,
        checkpoint INTEGER NOT NULL REFERENCES message (id),
        compaction INTEGER REFERENCES message (id),
        at REAL NOT NULL
    )
    """,
    """
    CREATE TABLE continuation (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        account TEXT NOT NULL CHECK (account <> ''),
        resets_at REAL NOT NULL CHECK (typeof(resets_at) = 'real'),
        is_estimate INTEGER NOT NULL CHECK (is_estimate IN (0, 1)),
        state TEXT NOT NULL CHECK (state IN ('waiting', 'looking', 'nudged', 'backing-off', 'over')),
        next_at REAL NOT NULL,
        attempts INTEGER NOT NULL CHECK (attempts >= 0),
        reason TEXT NOT NULL,
        created_at REAL NOT NULL,
        ended_at REAL
    )
    """,
    "CREATE UNIQUE INDEX continuation_one_open_per_account ON continuation (account) WHERE state <> 'over'",
    """
    CREATE TABLE nudge (
        continuation INTEGER NOT NULL REFERENCES continuation (id),
        agent TEXT NOT NULL REFERENCES agent (id),
        attempt INTEGER NOT NULL CHECK (attempt >= 0),
        message INTEGER NOT NULL UNIQUE REFERENCES message (id),
        at REAL NOT NULL,
        PRIMARY KEY (continuation, agent, attempt)
    )
    """,
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (AS_BUILT, EVIDENCE_AND_NEEDS, SCHEDULE, PROPOSALS, CREDIT_AND_RECOVERY)
"""The statements of version 1, 2, …, in order."""

VERSION = len(MIGRATIONS)
