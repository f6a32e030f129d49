--- Sizes: presets, what is asked for singly, and what there is not.

local guests = require "ops.guest"
local t = require "kit"

local function resolve(asked, current)
  local guest, e = guests.resolve(asked, current)
  if not guest then
    return nil, e
  end
  return { guest.cpu_kind, guest.cpus, guest.memory_mb }
end

t.test("presets have their CPUs and least memory", function()
  t.eq(resolve({ size = "shared-cpu-1x" }), { "shared", 1, 256 })
  t.eq(resolve({ size = "shared-cpu-8x" }), { "shared", 8, 2048 })
  t.eq(resolve({ size = "performance-2x" }), { "performance", 2, 4096 })
  t.eq(guests.PRESETS[1], "shared-cpu-1x")
  t.eq(guests.PRESETS[#guests.PRESETS], "performance-16x")
end)

t.test("without a word it is the smallest, with one the rest follows", function()
  t.eq(resolve({}), { "shared", 1, 256 })
  t.eq(resolve({ memory = 512 }), { "shared", 1, 512 })
  t.eq(resolve({ cpus = 4 }), { "shared", 4, 1024 })
  t.eq(resolve({ cpu_kind = "performance" }), { "performance", 1, 2048 })
  t.eq(resolve({ size = "shared-cpu-2x", memory = 4096 }), { "shared", 2, 4096 })
end)

t.test("an existing machine keeps what is not asked for", function()
  local current = { cpu_kind = "shared", cpus = 2, memory_mb = 1024 }
  t.eq(resolve({ memory = 2048 }, current), { "shared", 2, 2048 })
  t.eq(resolve({ cpus = 4 }, current), { "shared", 4, 1024 })
  t.eq(resolve({ size = "performance-1x" }, current), { "performance", 1, 2048 })
  t.eq(resolve({ memory = 512 }, {}), { "shared", 1, 512 })
end)

t.test("sizes there are not are refused with what there is", function()
  for _, case in ipairs({
    { { memory = 700 }, nil, "700 MB of memory does not go with 1 shared CPU;" },
    { { memory = 128 }, nil, "256 MB to 2 GB, in steps of 256 MB" },
    { { memory = 4096 }, nil, "256 MB to 2 GB" },
    { { cpus = 3 }, nil, "does not have 3 shared CPUs" },
    { { cpus = 8 }, { cpu_kind = "shared", cpus = 1, memory_mb = 256 }, "2 GB to 16 GB" },
    { { cpu_kind = "quantum" }, nil, "there are no quantum CPUs" },
  }) do
    local guest, e = resolve(case[1], case[2])
    t.err(guest, e, "invalid")
    t.match(e.message .. "; " .. e.hint, case[3])
  end
end)

t.test("asking about nothing is told apart", function()
  t.eq(guests.is_asked({}), false)
  t.eq(guests.is_asked({ memory = 1 }), true)
end)
