"""The `canary` command: a client of the admin API, and what is done without a server.

    main          the commands by section, each imported when it is used
    options       what several commands take: --server, --output, --file; HOST:PORT
    files         FILE, DIR or - -> (name, text)
    remote        one call of the admin API; what went wrong -> failures
    failures      what ends a command: one line on stderr, an exit code
    shapes        the API's messages -> the data of `-o json`
    words         the API's messages -> the words of tables and answers
    output        table, json or yaml on stdout; columns: how wide they are
    flags         the fields of a refused request -> the flags that were typed
    apply, get, change                                talk to the server
    lint, schema, translate, bootstrap, serve, token  need none
    config        the server's configuration file

Exit codes: 0 done, 1 failed, 2 used wrongly, 3 rejected, 4 a conflict, 5 not confirmed (failures.py).
Results go to stdout, warnings and errors to stderr.
"""
