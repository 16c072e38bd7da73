"""The registry's REST API: Flask over `screening.registry`, mounted with the registry's own evaluator.

`create_app` in `app.py` makes it, `policy_table.py` says who may do what and which event it leaves, and `gate.py`
holds every request to that table.
"""
