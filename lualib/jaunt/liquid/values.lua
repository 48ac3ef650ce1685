-- What values are to a payload template: how they are printed, what is true, equal and less, what lies inside them.
--
-- The rules are those of Shopify's Liquid in its strict mode (lib/liquid/utils.rb, condition.rb, variable_lookup.rb),
-- where Ruby's own show through: an integer is not its digits' text, 1 equals 1.0, text and numbers have no order.
-- Values are nil (json.null counts as nil wherever it is met), booleans, integers of 64 bits, floats, texts, tables
-- as JSON is decoded to, and the engine's own (jaunt.liquid.values.own). Objects are walked in the order of their keys.
--
-- Compiled templates and filters call this for every person. Nothing is kept between two renders. The functions stand
-- in values/, by subject.

local values = {}

for _, part in ipairs { "limits", "own", "kinds", "texts", "comparison", "parts", "numbers" } do
  for name, what in pairs(require("jaunt.liquid.values." .. part)) do values[name] = what end
end

return values
