"""The demo of any plan: `demo.yaml` beside `plan.yaml` says what the applications do, and what the dirt comes to."""
