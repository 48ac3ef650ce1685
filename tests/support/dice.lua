-- Random numbers of our own, so that every run of a test sees the same (xorshift64*).

-- dice(seed) -> draw(); draw(most) is 1 to most, draw() any 64 bits.
return function(seed)
  local state = seed
  return function(most)
    state = state ~ (state << 13)
    state = state ~ (state >> 7)
    state = state ~ (state << 17)
    local drawn = state * 0x2545F4914F6CDD1D
    return most and math.ult(0, most) and (drawn >> 1) % most + 1 or drawn
  end
end
