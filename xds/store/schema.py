"""The tables, as the migrations that made them. `PRAGMA user_version` counts those that were run.

`brought` says which entry of the audit brought which revision (or set of resources). It is kept when
revisions are pruned: what was in force at a snapshot stays known, and that it is gone can be said.

`position` counts the writes. `image` has what was published of them, encoded; `image_of` says by what
that was made, and up to which write (none while it is being written).
"""

MIGRATIONS = (
    """
    CREATE TABLE revisions (
        deployment TEXT NOT NULL, number INTEGER NOT NULL, kind TEXT NOT NULL, spec TEXT NOT NULL,
        labels TEXT NOT NULL, builds TEXT NOT NULL, slots TEXT NOT NULL,
        author TEXT NOT NULL, at REAL NOT NULL, comment TEXT NOT NULL, source INTEGER,
        PRIMARY KEY (deployment, number)
    ) WITHOUT ROWID;
    CREATE TABLE builds (
        deployment TEXT NOT NULL, ref TEXT NOT NULL, key TEXT NOT NULL,
        PRIMARY KEY (deployment, ref), UNIQUE (deployment, key)
    ) WITHOUT ROWID;
    CREATE TABLE endpoints (
        source TEXT NOT NULL, ref TEXT NOT NULL, endpoints TEXT NOT NULL,
        PRIMARY KEY (source, ref)
    ) WITHOUT ROWID;
    CREATE TABLE applied (
        source TEXT NOT NULL, part TEXT NOT NULL, digest TEXT NOT NULL,
        PRIMARY KEY (source, part)
    ) WITHOUT ROWID;
    """,
    """
    CREATE TABLE resources (
        gateway TEXT NOT NULL, number INTEGER NOT NULL, kind TEXT NOT NULL, contents TEXT NOT NULL,
        author TEXT NOT NULL, at REAL NOT NULL, comment TEXT NOT NULL, source INTEGER,
        PRIMARY KEY (gateway, number)
    ) WITHOUT ROWID;
    """,
    # Files applied through the API have a list of their own from here on; "api" is the endpoint verbs'.
    # `revision_history_limit` was kept whatever it said; now it is a number.
    """
    CREATE TABLE entries (
        number INTEGER PRIMARY KEY AUTOINCREMENT, verb TEXT NOT NULL, subjects TEXT NOT NULL,
        outcome TEXT NOT NULL, request TEXT NOT NULL,
        author TEXT NOT NULL, at REAL NOT NULL, comment TEXT NOT NULL
    );
    CREATE TABLE subjects (
        subject TEXT NOT NULL, entry INTEGER NOT NULL,
        PRIMARY KEY (subject, entry)
    ) WITHOUT ROWID;
    CREATE TABLE brought (
        kind TEXT NOT NULL, name TEXT NOT NULL, number INTEGER NOT NULL, entry INTEGER NOT NULL,
        PRIMARY KEY (kind, name, number)
    ) WITHOUT ROWID;
    CREATE INDEX brought_by_entry ON brought (entry);
    CREATE TABLE replies (
        request TEXT NOT NULL PRIMARY KEY, digest TEXT NOT NULL, at REAL NOT NULL, revisions TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE leases (
        ref TEXT NOT NULL, place TEXT NOT NULL, endpoint TEXT NOT NULL, ttl REAL NOT NULL,
        PRIMARY KEY (ref, place)
    ) WITHOUT ROWID;
    CREATE TABLE drains (
        ref TEXT NOT NULL, place TEXT NOT NULL,
        PRIMARY KEY (ref, place)
    ) WITHOUT ROWID;
    INSERT INTO brought SELECT 'deployment', deployment, number, 0 FROM revisions;
    INSERT INTO brought SELECT 'gateway', gateway, number, 0 FROM resources;
    UPDATE endpoints SET source = 'apply' WHERE source = 'api';
    UPDATE revisions SET spec = json_remove(spec, '$.revision_history_limit')
        WHERE json_extract(spec, '$.revision_history_limit') IS NOT NULL AND (
            json_type(spec, '$.revision_history_limit') != 'integer'
            OR json_extract(spec, '$.revision_history_limit') < 1
        );
    """,
    """
    CREATE TABLE metric_minutes (
        start INTEGER NOT NULL, deployment TEXT NOT NULL, build TEXT NOT NULL, gateway TEXT NOT NULL,
        revision INTEGER NOT NULL, packed BLOB NOT NULL,
        PRIMARY KEY (start, deployment, build, gateway, revision)
    ) WITHOUT ROWID;
    """,
    """
    CREATE TABLE position (commits INTEGER NOT NULL);
    INSERT INTO position VALUES (0);
    CREATE TABLE image_of (maker TEXT NOT NULL, position INTEGER);
    CREATE TABLE image (
        gateway TEXT NOT NULL, profile TEXT NOT NULL, type TEXT NOT NULL, name TEXT NOT NULL,
        version TEXT NOT NULL, clusters TEXT NOT NULL, body BLOB NOT NULL,
        UNIQUE (gateway, profile, type, name)
    );
    """,
)
