"""YOLOv5 v6 (C3 blocks, PANet neck), the baseline that GB-YOLO is compared with."""
