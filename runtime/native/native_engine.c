/* jaunt.native.engine: one journey over one audience, for commands.
 *
 *   local engine <close> = start { journey =, version =, bundle = (JSON), workers =, virtual =, start_ms =, seed =,
 *                                  in_flight =, state =, sync =, keep_ms =, control =, connections =, secrets =, reroute =, save_below =, traces =, events =, plain =,
 *                                  limits = { run_memory =, worker_memory =, text =, slice_time =, pattern_steps =,
 *                                             coroutines =, elements =, inbox = } }
 *   engine:feed(audience, most, where)   lets up to `most` people in, while there is room. Returns how many came in, how
 *                            many `where(person)` left out, and "more", "full", "later" (nothing has come yet) or "end"
 *   engine:admit(id, profile, event)     lets one in: JSON texts
 *   engine:admission_over(), engine:wants_event(), engine:event(at_ms, person, name, json), engine:events_over()
 *   engine:wait(ms)          suspends the command until something changed, or the time is over
 *   engine:finished()        nothing will happen any more
 *   engine:look()            the figures, as a table
 *   engine:found()           the ledger as it stood at the start
 *   engine:report()          ledger, funnel and exits
 *   engine:connections()     { { name =, base_url =, longest_queue = }, … }
 *   engine:outages()         { { name =, reason =, detail =, failed = (attempts in a row), waiting =, next_ms = (from now) }, … }
 *   engine:message()         what a script said, oldest first: kind ("output", "warning", "trace") and text; or nil
 *   engine:act(what, run, person, version)   "redrive", "redrive --unknown", "end", "move" or "try" (to move) a run, by its number; see
 *                            engine_act
 *   engine:advance(ms)                       goes on to that time on a virtual clock: see engine_advance
 *   engine:interrupt()                       ends what is under way: see engine_interrupt; also from a signal's callback
 *   engine:payloads(json)                    payloads in place of the bundle's, for calls not rendered yet
 *   engine:version(name, bundle)             the number of a version to move to
 *   engine:outcome()         of the oldest act that was not told yet: the run, why it was refused (nil: it was done), and that in other words; or nothing
 *   engine:pause(paused)     see engine_pause
 *   engine:pause_kept()      whether that is durable
 *   engine:poke()            from a callback of the loop: wait() comes back
 *   engine:stop(grace_ms)    nothing new is sent; suspends the command until the workers are gone
 *   engine:hurry()           from a signal's callback: what is on the wire is cut, and a worker that does not come to its
 *                            end is not waited for: stop() comes back after two seconds at most
 *   engine:left_behind()     whether there was such a worker
 *   check_limits { limits = }            raises what start would say of them
 *
 * Beside them it has what facts.c tells. */
#include "native/engine_parts.h"
#include "native/native.h"

static const luaL_Reg functions[] = {
    {"start", native_engine_start},
    {"check_limits", native_engine_check_limits},
    {NULL, NULL},
};

int native_engine_open(lua_State *L) {
  static const luaL_Reg *const parts[] = {native_engine_people, native_engine_acts, native_engine_sights,
                                          NULL};
  native_engine_define(L, parts);
  luaL_newlib(L, functions);
  luaL_setfuncs(L, native_facts, 0);
  return 1;
}
