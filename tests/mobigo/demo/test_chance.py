from mobigo.demo.chance import fraction, pick, whole_between


def test_a_draw_depends_on_seed_kind_and_key_alone():
    assert fraction(1, "road", "a", "b") == fraction(1, "road", "a", "b")
    drawn = {
        fraction(seed, kind, *key) for seed in (1, 2) for kind in ("road", "rail") for key in (("ab",), ("a", "b"))
    }
    assert len(drawn) == 8


def test_draws_fill_their_range_evenly():
    drawn = [fraction(7, "test", k) for k in range(4000)]
    assert 0 <= min(drawn) < 0.01
    assert 0.99 < max(drawn) < 1
    assert abs(sum(drawn) / 4000 - 0.5) < 0.02
    whole = [whole_between(-3, 3, 7, "test", k) for k in range(700)]
    assert set(whole) == set(range(-3, 4))
    assert {pick("abc", 7, "test", k) for k in range(50)} == set("abc")
