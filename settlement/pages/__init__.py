"""Settlement's pages: handlers that read with its services and fill a template."""
