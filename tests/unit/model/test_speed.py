from model.speed import CONTENDERS, Speed, measure, table


def test_contenders_are_measured_side_by_side_and_compared_with_yolov5() -> None:
    speeds = list(measure(sizes=("n",), inputs_px=(64,), engines=("onnxruntime fp32",), rounds=3))
    assert [speed.architecture for speed in speeds] == list(CONTENDERS)
    assert all(len(speed.samples_ms) == 3 and speed.median_ms > 0 for speed in speeds)
    assert len({speed.weights_sha256 for speed in speeds}) == 3


def test_the_ratio_is_that_of_the_medians_of_one_size_engine_and_input() -> None:
    baseline = Speed("yolov5", "n", "e", 320, 1_000_000, 1.0, "a", (8.0, 9.0, 100.0))
    other = Speed("gbyolo", "n", "e", 320, 500_000, 0.5, "b", (6.0, 5.0, 6.0))
    text = table([baseline, other])
    assert "| gbyolo n | e | 320 | 0.50 | 0.50 | 6.0 | 1.50 |" in text
    assert "| yolov5 n | e | 320 | 1.00 | 1.00 | 9.0 | 1.00 |" in text
