"""The command line: one module a subcommand, with `add_arguments(parser)` and `run(args) -> exit code`."""
