"""The command line: a module for each subcommand, with `add_arguments(parser)` and `run(args) -> exit code`."""
