-- Waits until it is ended: what an idle runtime weighs.
wait "1d"
