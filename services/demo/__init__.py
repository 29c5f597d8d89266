"""The demo cameras: scripted scenes, drawn by our own code, whose true counts are known.

`demo://traffic` is a street, `demo://masks` an entrance.
"""
