"""`make bench`: promote and its peers copy the same objects on the same server, in turns."""
