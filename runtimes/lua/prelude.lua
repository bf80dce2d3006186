-- The script-side half of the Lua room: what it takes away from the standard library, and the `lingate` module. Runs
-- once in each VM, before the script. `native` holds the room's functions (see natives.h).
local native = ...

local error, type, tostring, select, next, setmetatable, rawset, pcall =
  error, type, tostring, select, next, setmetatable, rawset, pcall
local concat, find = table.concat, string.find
local metatable_of, set_metatable = debug.getmetatable, debug.setmetatable  -- protected or not
local globals = _G  -- whatever the script makes of that name

-- ---- what a script may not reach ----

for _, name in ipairs {
  "collectgarbage", "dofile", "gcinfo", "getfenv", "load", "loadfile", "loadstring", "module", "newproxy", "package",
  "setfenv", "debug", "jit", "ffi", "io",
} do
  _G[name] = nil
end
string.dump = nil
table.foreach, table.foreachi, table.getn = nil, nil, nil
getmetatable("").__metatable = false
math.randomseed(native.seed)

-- Libraries are the same for every request that this instance will serve, so they are read-only.
local frozen = setmetatable({}, {__mode = "k"})
local function freeze(name, library, missing)
  local proxy = setmetatable({}, {
    __index = library,
    __newindex = function(_, key)
      error(name .. "." .. tostring(key) .. " is read-only: libraries are shared by all requests", 2)
    end,
    __pairs = function()
      return function(_, key) return next(library, key) end
    end,
    __metatable = false,
  })
  if missing then setmetatable(library, {__index = missing}) end
  frozen[proxy] = name
  return proxy
end

local function refuse_frozen(table)
  local name = frozen[table]
  if name then error(name .. " is read-only: it is shared by all requests", 3) end
end

function _G.rawset(table, key, value)
  refuse_frozen(table)
  return rawset(table, key, value)
end

local insert = table.insert
function table.insert(list, ...)
  refuse_frozen(list)
  return insert(list, ...)
end

-- ---- the objects of a call ----

-- In front of their metamethods: what a script does in every call goes through functions that compiled code calls
-- directly (see direct.h), and the rest, errors included, to the metamethod.
local ffi, registry, direct = native.ffi, native.registry, native.direct
local text_of = ffi.string
local MISSING, TEXT, NUMBER = 0, 1, 2
local answer = ffi.cast("const struct { const char *bytes; double number; uint32_t size; } *", direct.answer)
local environment = ffi.cast("void *", direct.environment)
local lookup = ffi.cast("int32_t (*)(void *, void *, const char *, uint32_t)", direct.lookup)
local assign = ffi.cast("bool (*)(void *, void *, const char *, uint32_t, const char *, uint32_t)", direct.assign)
local remove = ffi.cast("bool (*)(void *, void *, const char *, uint32_t)", direct.remove)
local objects = native.objects
local index, new_index = objects.__index, objects.__newindex

function objects.__index(object, name)
  if type(name) == "string" then
    local outcome = lookup(environment, object, name, #name)
    if outcome == TEXT then return text_of(answer.bytes, answer.size) end
    if outcome == MISSING then return nil end
    if outcome < 0 then return registry[-outcome] end
    if outcome == NUMBER then return answer.number end
  end
  local value = index(object, name)
  return value
end

function objects.__newindex(object, name, value)
  if type(name) == "string" then
    if type(value) == "string" then
      if assign(environment, object, name, #name, value, #value) then return end
    elseif value == nil then
      if remove(environment, object, name, #name) then return end
    end
  end
  new_index(object, name, value)
end

-- ---- coroutines ----

-- A native that waits yields WAIT to the host. In a coroutine of the script's own the yield is passed on, outwards
-- through each resume, and so is what the host answers, inwards.
local WAIT = native.wait_mark
local create, resume, running, status, yield =
  coroutine.create, coroutine.resume, coroutine.running, coroutine.status, coroutine.yield
local nesting = native.nesting  -- [1]: coroutines of the script that run in each other; each takes native stack
local waiting = setmetatable({}, {__mode = "k"})

local pass

local function go_on(depth, co, ...)
  waiting[co] = nil
  nesting[1] = depth
  return pass(depth, co, resume(co, ...))
end

function pass(depth, co, ok, first, ...)
  nesting[1] = depth - 1
  if ok and first == WAIT then
    waiting[co] = true
    return go_on(depth, co, yield(WAIT))
  end
  return ok, first, ...
end

local function enter(co, ...)
  local depth = nesting[1] + 1
  if depth > 100 then return false, "coroutines nest deeper than 100" end
  if waiting[co] then return false, "cannot resume a coroutine that waits for the host" end
  nesting[1] = depth
  return pass(depth, co, resume(co, ...))
end

local function unwrap(ok, first, ...)
  if ok then return first, ... end
  error(first, 0)
end

local routines = {create = create, status = status}

-- A hook's own coroutine is the host's: nothing but the host may resume it.
function routines.running()
  if nesting[1] == 0 then return nil end
  return running()
end

function routines.resume(co, ...)
  if type(co) ~= "thread" then error("bad argument #1 to 'resume' (coroutine expected)", 2) end
  return enter(co, ...)
end

function routines.wrap(body)
  if type(body) ~= "function" then error("bad argument #1 to 'wrap' (function expected)", 2) end
  local co = create(body)
  return function(...) return unwrap(enter(co, ...)) end
end

function routines.yield(...)
  if nesting[1] == 0 then error("attempt to yield from outside a coroutine", 2) end
  return yield(...)
end

function routines.isyieldable() return nesting[1] > 0 end

-- ---- compiling and requiring ----

local compile, find_module = native.compile, native.find_module

function _G.load(source, name, mode, ...)
  if type(source) == "function" then
    local parts, size = {}, 0
    for part in source do
      if type(part) ~= "string" then error("load: the reader must return strings", 2) end
      if part == "" then break end
      parts[#parts + 1], size = part, size + #part
      if size > native.source_limit then break end
    end
    source = concat(parts)
  end
  if mode ~= nil and not find(mode, "t", 1, true) then
    return nil, "load: only text can be loaded, and mode '" .. tostring(mode) .. "' excludes it"
  end
  return compile(source, name, select("#", ...) > 0, (...))
end

function _G.loadstring(source, name) return compile(source, name, false) end

local modules, LOADING = {}, {}

function _G.require(name)
  if type(name) ~= "string" then error("require: the module's name is a string", 2) end
  local module = modules[name]
  if module == LOADING then error("require: '" .. name .. "' requires itself", 2) end
  if module ~= nil then return module end
  local body, problem = find_module(name)
  if not body then error(problem, 2) end
  modules[name] = LOADING
  module = body(name)
  if module == nil then module = true end
  modules[name] = module
  return module
end

-- ---- the lingate module ----

local function sleep(seconds)
  native.sleep(seconds)
  local ok, problem = pcall(yield, WAIT)
  if ok and problem == nil then return end
  native.forget_wait()
  if not ok then problem = "lingate.sleep cannot wait inside a library's callback (sort, gsub, tostring)" end
  error(problem, 2)
end

local function array(list)
  if list == nil then list = {} end
  if type(list) ~= "table" then error("lingate.array takes a table", 2) end
  return native.mark_array(list) or error("lingate.array takes a table without a metatable", 2)
end

function _G.print(...)
  local parts = {...}
  for i = 1, select("#", ...) do parts[i] = tostring(parts[i]) end
  native.log_info(concat(parts, "\t"))
end

local function library(name, functions) return freeze("lingate." .. name, functions) end

_G.lingate = freeze("lingate", {
  respond = native.respond,
  config = native.config,
  now = native.now,
  sleep = sleep,
  null = native.null,
  array = array,
  log = library("log", {
    debug = native.log_debug, info = native.log_info, warn = native.log_warn, error = native.log_error,
  }),
  json = library("json", {encode = native.json_encode, decode = native.json_decode}),
  base64 = library("base64", {encode = native.base64_encode, decode = native.base64_decode}),
  crypto = library("crypto", {sha256 = native.sha256, hmac = native.hmac, equal = native.equal, random = native.random}),
  query = library("query", {parse = native.query_parse, build = native.query_build}),
}, native.no_attribute)

-- ---- the standard library, frozen ----

local date = os.date
_G.os = {
  time = os.time, clock = os.clock, difftime = os.difftime,
  date = function(format, time)
    if format ~= nil and (type(format) ~= "string" or #format > 256) then
      error("os.date: the format is a string of at most 256 bytes", 2)
    end
    return date(format, time)
  end,
}
_G.coroutine = routines
for _, name in ipairs {"string", "table", "math", "bit", "os", "coroutine"} do _G[name] = freeze(name, _G[name]) end

-- ---- globals, once the script has loaded ----

-- What is global by then stays, to be read; what a call made global would be seen by the calls after it.
return function()
  local kept = {}
  for name, value in next, globals do kept[name] = value end
  for name in next, kept do rawset(globals, name, nil) end
  set_metatable(kept, metatable_of(globals))
  set_metatable(globals, {
    __index = kept,
    __newindex = function(_, name)
      error("the global '" .. tostring(name) .. "' cannot be set in a call, since all requests share it: declare it local, " ..
        "or keep what is to last in a local of the file", 2)
    end,
    __pairs = function()
      return function(_, key) return next(kept, key) end
    end,
    __metatable = false,
  })
  frozen[globals] = "_G"
end
