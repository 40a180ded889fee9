"""One run: its state, its kin, and what a call or a step does to it. Pure; `detector.step` moves it."""
