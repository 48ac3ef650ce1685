-- Mistakes that rendering meets, and how much values may grow.

local error, format, select = error, string.format, select

local limits = {}

-- The longest text that a filter may make, in bytes: as much as a whole render's result may have.
limits.TEXT_MOST = 1 << 20

-- The longest array that a filter may make or go through: as many items as all loops of a render may have turns.
limits.LIST_MOST = 100000

-- How deep values may be nested: more is a table that contains itself.
limits.DEPTH_MOST = 100

-- Raises a mistake that rendering met; the renderer adds the place.
function limits.fail(text, ...)
  error({ liquid_text = select("#", ...) > 0 and format(text, ...) or text }, 0)
end

-- Ends the render for a reason that is the template's wish: what = "skip", "drop" or "hold".
function limits.stop(what, reason)
  error({ liquid_text = reason, what = what, reason = reason }, 0)
end

-- Raises, as the text is longer than a payload may be.
function limits.too_long()
  limits.fail("the text grows past %d bytes, which is the most that a payload may have", limits.TEXT_MOST)
end

-- Raises when a text of that many bytes is longer than a filter may make it.
function limits.check_length(bytes)
  if bytes > limits.TEXT_MOST then limits.too_long() end
end

local WORK_LARGE = 1000 -- items of an array that takes a filter some time

local function look_at_time() end

-- Who raises where the render has taken too long: called before a filter works on a large array.
function limits.look_at_time_by(look) look_at_time = look end

-- Raises when an array of so many items is longer than a filter may go through, or there is no time left for it.
function limits.check_count(items)
  if items > WORK_LARGE then look_at_time() end
  if items > limits.LIST_MOST then
    limits.fail("the array grows past %d items, which is the most that filters work on", limits.LIST_MOST)
  end
end

return limits
