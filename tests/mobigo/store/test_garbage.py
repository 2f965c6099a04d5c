import gc

from mobigo.store.garbage import rarely_collected


def test_the_collector_is_as_before_once_the_last_has_left():
    before = gc.get_threshold()
    first, second = rarely_collected(), rarely_collected()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)  # who came first leaves first
    assert gc.get_threshold()[0] > before[0]
    second.__exit__(None, None, None)
    assert gc.get_threshold() == before
