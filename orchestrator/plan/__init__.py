"""Plans: what is to change. A folder with `plan.yaml` and SQL files; data only."""
