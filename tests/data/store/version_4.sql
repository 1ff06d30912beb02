-- A database of version 4 with something in every table. Never change it: it stands for people's data.
PRAGMA application_id = 1953329010;
PRAGMA user_version = 4;
BEGIN TRANSACTION;
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
        created_at REAL NOT NULL, is_adopted INTEGER NOT NULL DEFAULT 0 CHECK (is_adopted IN (0, 1)), dialog TEXT, check_in_min REAL, limited_until REAL, model TEXT NOT NULL DEFAULT '', permission_mode TEXT NOT NULL DEFAULT '',
        UNIQUE (orchestration, role)
    );
INSERT INTO "agent" VALUES(1,'shop-3f2a:developer','shop-3f2a','developer','demo','/worktrees/shop-3f2a/developer','tmorch/shop-3f2a/developer','starting','','','',0.0,'%1',NULL,NULL,NULL,'','',1.0,0,'{"name":"permission","detail":"rm -r build","seen":"rm -r build","choices":[{"key":"1","label":"Yes","selected":true}],"is_gate":false}',12.5,NULL,'opus','plan');
INSERT INTO "agent" VALUES(2,'shop-3f2a:tester','shop-3f2a','tester','demo','/worktrees/shop-3f2a/tester','tmorch/shop-3f2a/tester','starting','','','',0.0,NULL,NULL,NULL,NULL,'','',1.0,0,NULL,NULL,NULL,'','');
CREATE TABLE answer (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        agent TEXT NOT NULL REFERENCES agent (id),
        fingerprint TEXT NOT NULL,
        choice TEXT NOT NULL CHECK (choice <> ''),
        state TEXT NOT NULL CHECK (state IN ('pending', 'giving', 'given', 'refused', 'unconfirmed')),
        reason TEXT NOT NULL,
        created_at REAL NOT NULL
    );
INSERT INTO "answer" VALUES(1,'shop-3f2a:developer','f00d','1','pending','',8.0);
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
    );
INSERT INTO "checkin" VALUES(1,'shop-3f2a:developer','you','look at the build','every',100.5,90.5,10.25,'','Europe/Berlin',0,'active','it waits',2,130.5,5.0,4.0,NULL,3);
CREATE TABLE event (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at REAL NOT NULL,
        kind TEXT NOT NULL CHECK (kind <> ''),
        text TEXT NOT NULL,
        orchestration TEXT NOT NULL,
        agent TEXT NOT NULL
    );
INSERT INTO "event" VALUES(1,1.5,'orchestration.running','it runs','shop-3f2a','');
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
    );
INSERT INTO "firing" VALUES(1,1,'shop-3f2a:developer',100.5,101.0,2,'sent',2,'');
CREATE TABLE health (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        pid INTEGER,
        pid_started REAL,
        heartbeat_at REAL,
        last_error TEXT NOT NULL DEFAULT '',
        last_error_at REAL,
        stopped_at REAL
    );
INSERT INTO "health" VALUES(1,4711,1.0,2.0,'',NULL,NULL);
CREATE TABLE hookfact (
        agent TEXT PRIMARY KEY REFERENCES agent (id),
        event TEXT NOT NULL,
        claim TEXT NOT NULL,
        at REAL NOT NULL,
        conversation TEXT NOT NULL,
        detail TEXT NOT NULL,
        has_background INTEGER NOT NULL CHECK (has_background IN (0, 1))
    );
INSERT INTO "hookfact" VALUES('shop-3f2a:developer','PermissionRequest','waiting',5.0,'c-1','rm -r build',0);
CREATE TABLE journal (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        orchestration TEXT NOT NULL REFERENCES orchestration (id),
        kind TEXT NOT NULL CHECK (kind <> ''),
        payload TEXT NOT NULL,
        is_open INTEGER NOT NULL CHECK (is_open IN (0, 1))
    );
INSERT INTO "journal" VALUES(1,'shop-3f2a','worktree','{"path":"/worktrees/shop-3f2a/developer"}',1);
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
    , acknowledged_at REAL);
INSERT INTO "message" VALUES(1,'shop-3f2a:developer','you','It''s time;
begin 🙂','delivered','','when-idle','text','%1',0,0,2.0,3.0,4.0,3.0);
INSERT INTO "message" VALUES(2,'shop-3f2a:tester','shop-3f2a:developer','still queued','queued','','when-idle','text',NULL,0,0,5.0,NULL,NULL,NULL);
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
    );
INSERT INTO "need" VALUES('dialog:shop-3f2a:developer','permission','shop-3f2a','shop-3f2a:developer',NULL,'rm -r build','[{"key":"1","label":"Yes","selected":true},{"key":"2","label":"No","selected":false}]','f00d',6.0,NULL,NULL);
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
    , is_adopted INTEGER NOT NULL DEFAULT 0 CHECK (is_adopted IN (0, 1)), check_ins_paused_at REAL);
INSERT INTO "orchestration" VALUES(1,'shop-3f2a','/projects/shop','shop','shop-3f2a','main','c0ffee','running','$1','/tmp/tmux-0/default','','Sell more','','','',0,'',NULL,NULL,1.0,0,7.5);
CREATE TABLE proposal (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        project TEXT NOT NULL CHECK (project <> ''),
        body TEXT NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('saved', 'started', 'discarded')),
        orchestration TEXT REFERENCES orchestration (id),
        saved_at REAL NOT NULL
    );
INSERT INTO "proposal" VALUES(1,'/projects/shop','{}','discarded',NULL,5.0);
CREATE TABLE route (
        orchestration TEXT NOT NULL REFERENCES orchestration (id),
        sender TEXT NOT NULL,
        target TEXT NOT NULL,
        PRIMARY KEY (orchestration, sender, target)
    );
INSERT INTO "route" VALUES('shop-3f2a','developer','tester');
CREATE UNIQUE INDEX orchestration_one_active_per_project
    ON orchestration (project) WHERE state IN ('starting', 'running')
    ;
CREATE INDEX orchestration_by_state ON orchestration (state);
CREATE INDEX agent_by_pane ON agent (pane) WHERE pane IS NOT NULL;
CREATE INDEX message_by_state ON message (state, target);
CREATE INDEX message_by_target ON message (target);
CREATE INDEX message_by_sender ON message (target, sender, created_at);
CREATE INDEX event_by_orchestration ON event (orchestration);
CREATE INDEX journal_open ON journal (orchestration, is_open);
CREATE INDEX message_by_claim ON message (target, sender, claimed_at);
CREATE INDEX message_by_age ON message (sender, created_at);
CREATE INDEX event_by_agent ON event (agent);
CREATE INDEX answer_by_state ON answer (state);
CREATE INDEX checkin_by_time ON checkin (COALESCE(retry_at, due_at)) WHERE state = 'active';
CREATE INDEX checkin_by_due ON checkin (state, due_at);
CREATE INDEX checkin_by_target ON checkin (target, state, due_at);
CREATE INDEX checkin_dead ON checkin (ended_at) WHERE state = 'dead';
CREATE INDEX checkin_standing ON checkin (target) WHERE state = 'active' AND is_standing = 1;
CREATE INDEX checkin_by_author ON checkin (author, state);
CREATE INDEX checkin_by_version ON checkin (version);
CREATE INDEX firing_by_time ON firing (fired_at);
CREATE INDEX firing_by_target ON firing (target, outcome, fired_at);
CREATE INDEX proposal_by_state ON proposal (state);
CREATE INDEX proposal_by_orchestration ON proposal (orchestration) WHERE orchestration IS NOT NULL;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('orchestration',1);
INSERT INTO "sqlite_sequence" VALUES('agent',2);
INSERT INTO "sqlite_sequence" VALUES('message',2);
INSERT INTO "sqlite_sequence" VALUES('event',1);
INSERT INTO "sqlite_sequence" VALUES('journal',1);
INSERT INTO "sqlite_sequence" VALUES('answer',1);
INSERT INTO "sqlite_sequence" VALUES('checkin',1);
INSERT INTO "sqlite_sequence" VALUES('firing',1);
INSERT INTO "sqlite_sequence" VALUES('proposal',1);
COMMIT;
