"""What the project costs and what it finds, measured: `scripts/benchmark NAME`."""
