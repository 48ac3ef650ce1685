/* Ledger and funnel as a Lua table: what engine:report() and state:report() give. */
#ifndef JAUNT_NATIVE_REPORT_H
#define JAUNT_NATIVE_REPORT_H

#include <lua.h>

#include "store/store.h"

/* Pushes { entered =, control =, converted =, records =, running = …, elements = { { name =, kind =, line =, reached =, went_on =, dropped =,
 * held =, reasons = } }, exits = }; a reason is { reason =, detail =, count =, held = }. */
void native_push_report(lua_State *L, const store_report *report);

#endif
