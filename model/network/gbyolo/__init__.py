"""GB-YOLO: YOLOv5's layout with Ghost bottlenecks in place of C3 blocks and a BiFPN neck."""
