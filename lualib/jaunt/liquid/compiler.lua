-- Makes Lua of a template's tree.
--
-- Called by jaunt.liquid with the tree as jaunt.liquid.escapes has prepared it. What comes out is the source of one
-- chunk, a function of jaunt.liquid.runtime, of the filters and of the emitters; it returns run(c, out), which puts the
-- pieces of the result into `out` and returns how many there are. The Lua is what one would write by hand: names become
-- locals, a loop a numeric for, a literal a literal; nothing from outside is looked up twice.
--
-- Each statement stands on a line of its own, and the places that jaunt.liquid.code keeps say which byte of which
-- source a line comes from: where something fails, the line tells the place, and nothing is paid for that while all
-- goes well.
--
-- Names in the Lua: c (the render's record), n and out (the result so far), t (a value on its way), q (its kind, for
-- probes); lD, eD, kD (what the loop in depth D goes over, from where, how often), iN and xN (its index and item), sD
-- and hD (a case's subject, and whether a clause fitted), rN (a name from outside), aN (a name that is set), gN (a
-- table of such, where they are many), f_NAME (a filter), E_NAME (an emitter), P (the partials' functions). v, j*, m*,
-- o* and p* are jaunt.liquid.json_shape's; yN (the members of an rN or an xN).
--
-- Lua has its limits: 200 locals and 255 upvalues to a function, 200 blocks within each other. What is long or deep
-- becomes functions within the function (frames, jaunt.liquid.nodes.blocks).

local blocks = require "jaunt.liquid.nodes.blocks"
local code = require "jaunt.liquid.code"

local compiler = {}

for _, part in ipairs { "outputs", "branches", "loops", "partials" } do
  for kind, write in pairs(require("jaunt.liquid.nodes." .. part)) do blocks.WRITERS[kind] = write end
end

-- The Lua of a template: its text, its places (see code.finish), and what its probes stand for.
--   block      of jaunt.liquid.parser, prepared
--   options    source = { text =, path = }, kind, prepare(block, { kind =, source =, is_partial = }) -> the block,
--   probing
function compiler.compile(block, options)
  local self = {
    code = code.new(), prepare = options.prepare, kind = options.kind, probing = options.probing, probes = {},
    made = {}, weights = {}, items = {}, steps = 0, depth = 0,
  }
  local main = blocks.function_of(self, "return function(c, out) local n = 0", block, {}, options.source)
  local text, places = self.code:finish(main)
  return text, places, self.probes
end

return compiler
