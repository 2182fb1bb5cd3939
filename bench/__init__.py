"""`make bench`: promote and the tools that an engineer would reach for instead, on the same server, taking turns."""
