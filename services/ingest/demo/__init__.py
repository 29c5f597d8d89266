"""`demo://traffic`: scripted street scenes, drawn by our own code, whose true counts are known."""
