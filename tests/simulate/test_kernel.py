"""The shop's arrays: shares that sum to one, and faults that touch what they say and nothing else."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from journeymine.simulate import FAULTS
from journeymine.simulate import faults as fault
from journeymine.simulate import states as st
from journeymine.simulate.kernel import GROUPS, MOBILE, make_kernel, quote, states_of

EXACT = 1e-12


@pytest.mark.parametrize("slow", [1.0, 2.5, 20.0])
def test_everybody_goes_somewhere(slow: float) -> None:
    kernel = make_kernel(FAULTS, slow)
    onward = kernel.moves.sum(axis=2)
    goes_on = kernel.drop[0] < 1
    np.testing.assert_allclose(onward[goes_on], 1.0, atol=EXACT)
    np.testing.assert_allclose(kernel.lags.sum(axis=2)[kernel.moves[0] > 0], 1.0, atol=EXACT)
    assert (kernel.lags >= 0).all()
    assert ((kernel.drop >= 0) & (kernel.drop <= 1)).all()


def test_without_faults_drop_out_depends_on_the_activity_alone() -> None:
    kernel = make_kernel(())
    assert (kernel.drop == kernel.drop[:1, :1]).all()
    for activity in {s.activity for s in st.BEFORE_GOAL.values()}:
        assert len(set(kernel.drop[0, 0, states_of(activity)])) == 1, activity


def test_each_fault_changes_its_own_drop_outs_only() -> None:
    sound = make_kernel(()).drop
    changed = {
        name: set(map(tuple, np.argwhere(make_kernel([name]).drop != sound).tolist())) for name in FAULTS
    }
    sign_in = st.CODE["sign_in"]
    groups = range(len(GROUPS))
    assert changed["mobile_sign_in"] == {(p, g, sign_in) for p in (0, 1) for g in groups if MOBILE[g]}
    assert changed["payment_incident"] == {(1, g, s) for g in groups for s in states_of("Payment")}
    assert {s for _, _, s in changed["declined_loop"]} == set(states_of("Payment declined"))
    assert {s for _, _, s in changed["quote_wait"]} == {st.CODE["quote_requested"]}
    assert {s for _, _, s in changed["call_centre_rupture"]} == {st.CODE["call_from_digital"]}
    assert changed["summer_campaign"] == set()


def test_the_quote_wait_is_halved_exactly() -> None:
    whole, lag = quote(1.0)
    half, half_lag = quote(0.5)
    stay = 1 - st.QUOTE_LEAVE_PER_DAY
    assert whole == pytest.approx(1 - sum(p * stay**w for w, p in enumerate(st.QUOTE_DAYS)), abs=EXACT)
    assert half == pytest.approx(1 - sum(p * stay ** (w / 2) for w, p in enumerate(st.QUOTE_DAYS)), abs=EXACT)
    assert sum(st.QUOTE_DAYS) == pytest.approx(1.0, abs=EXACT)
    assert np.flatnonzero(lag).tolist() == list(range(2, 11))
    assert np.flatnonzero(half_lag).tolist() == [1, 2, 3, 4, 5]


def test_platform_and_country_change_nothing_before_the_sign_in() -> None:
    kernel = make_kernel(FAULTS)
    early = [i for key, i in st.CODE.items() if i < st.CODE["sign_in"] and key != "sign_in"]
    for a, b in itertools.combinations(range(len(GROUPS)), 2):
        if GROUPS[a][2] == GROUPS[b][2]:
            np.testing.assert_array_equal(kernel.moves[a, early], kernel.moves[b, early])


def test_callers_of_both_kinds_keep_their_proportion() -> None:
    kernel = make_kernel(FAULTS)
    product, call, store = (st.CODE[k] for k in ("product", "call_from_digital", "store"))
    ratio = kernel.moves[:, product, call] / kernel.moves[:, product, store]
    np.testing.assert_allclose(ratio, ratio[0], rtol=EXACT)
    np.testing.assert_array_equal(kernel.lags[product, call], kernel.lags[product, store])
    assert kernel.lags[store, st.CODE["call_from_store"], 0] == 1.0


def test_the_loop_makes_later_attempts_worse() -> None:
    kernel = make_kernel(["declined_loop"])
    drops = [kernel.drop[0, 0, st.CODE[f"declined_{i}"]] for i in (1, 2, 3)]
    assert drops == sorted(drops)
    assert drops == list(fault.DECLINED_DROPS.values())
    assert kernel.moves[0, st.CODE["payment_2"], st.CODE["declined_2"]] == pytest.approx(fault.DECLINED_AGAIN)


def test_saving_touches_all_states_of_the_activity() -> None:
    kernel = make_kernel(FAULTS)
    saved = kernel.save("Payment declined", 0.2)
    states = states_of("Payment declined")
    np.testing.assert_allclose(saved.drop[:, :, states], 0.8 * kernel.drop[:, :, states])
    others = np.setdiff1d(np.arange(len(st.STATES)), states)
    np.testing.assert_array_equal(saved.drop[:, :, others], kernel.drop[:, :, others])
