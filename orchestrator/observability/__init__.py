"""The edge that listens: events of the bus become log lines and metrics. Known to cli and jobs only."""
