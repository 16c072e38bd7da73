"""The endpoints, a module for each kind of thing. What each needs and leaves in the log stands in `POLICY`."""
