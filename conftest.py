"""What holds for the tests of the project and of the collection alike."""

pytest_plugins = ["tests.pwsh.coverage_plugin"]
