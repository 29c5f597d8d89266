"""RetinaNet for small faces, what each of its parts brings, and GB-YOLO on the same pictures."""
