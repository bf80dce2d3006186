#include "store/redis/scripts.h"

#include <openssl/sha.h>

#include <array>

namespace lingate::store::redis {
namespace {

// KEYS: records. Gives for each: value or null, when it expires (Unix milliseconds; negative: never).
constexpr std::string_view kFetch = R"(
local out = {}
for i, key in ipairs(KEYS) do
  out[2 * i - 1] = redis.call('GET', key)
  out[2 * i] = redis.call('PEXPIRETIME', key)
end
return out
)";

// KEYS: a record. ARGV: what stands before the keys of the space that its value leads into. Gives as fetch does, of
// both.
constexpr std::string_view kFollow = R"(
local first = redis.call('GET', KEYS[1])
if not first then return {false, -1, false, -1} end
local name = ARGV[1] .. first
return {first, redis.call('PEXPIRETIME', KEYS[1]), redis.call('GET', name), redis.call('PEXPIRETIME', name)}
)";

// KEYS: the index of a space. ARGV: what stands before its keys, from, to (as ZRANGE BYLEX has them), how many records,
// how many bytes about. Gives: where it stopped (null: there is no more), then of each record key, value, expiry.
constexpr std::string_view kScan = R"(
local most = tonumber(ARGV[4])
local names = redis.call('ZRANGE', KEYS[1], ARGV[2], ARGV[3], 'BYLEX', 'LIMIT', 0, most)
local out, bytes = {false}, 0
for i, name in ipairs(names) do
  local value = redis.call('GET', ARGV[1] .. name)
  if value then
    out[#out + 1] = name
    out[#out + 1] = value
    out[#out + 1] = redis.call('PEXPIRETIME', ARGV[1] .. name)
    bytes = bytes + #value
  end
  if i == most or bytes >= tonumber(ARGV[5]) then
    out[1] = name
    break
  end
end
return out
)";

// KEYS: records. ARGV: prefix, who writes, milliseconds of a turn or "0"; then for each record: its space's letter, its
// key, what it was ("" or SHA-1 and expiry), "1" to keep it or "0", the value, when it expires or "". Gives 1; 0, and
// nothing is written, where a record is not what it was or it is another's turn. Who wants a turn and met no other's
// has it then, of all of its records at once, until it has written.
constexpr std::string_view kWrite = R"(
local prefix, who, turn = ARGV[1], ARGV[2], tonumber(ARGV[3])
local expiries = prefix .. ':expiries'
local function index(space) return prefix .. ':index:' .. space end
local turns, same = {}, true
for i, key in ipairs(KEYS) do
  local at = 6 * i - 2
  turns[i] = prefix .. ':turn:' .. ARGV[at] .. ':' .. ARGV[at + 1]
  if (redis.call('GET', turns[i]) or who) ~= who then return 0 end
  local value, is = redis.call('GET', key), ''
  if value then is = redis.sha1hex(value) .. ':' .. string.format('%.0f', redis.call('PEXPIRETIME', key)) end
  same = same and is == ARGV[at + 2]
end
if not same then
  if turn > 0 then
    for _, name in ipairs(turns) do redis.call('SET', name, who, 'PX', turn) end
  end
  return 0
end
for i, key in ipairs(KEYS) do
  local at = 6 * i - 2
  local space, name, expires = ARGV[at], ARGV[at + 1], ARGV[at + 5]
  if ARGV[at + 3] == '1' then
    redis.call('SET', key, ARGV[at + 4])
    redis.call('ZADD', index(space), 0, name)
    if expires ~= '' then
      redis.call('PEXPIREAT', key, expires)
      redis.call('ZADD', expiries, expires, space .. name)
    else
      redis.call('ZREM', expiries, space .. name)
    end
  else
    redis.call('DEL', key)
    redis.call('ZREM', index(space), name)
    redis.call('ZREM', expiries, space .. name)
  end
  redis.call('PUBLISH', prefix .. ':changes', who .. space .. name)
  if turn > 0 then redis.call('DEL', turns[i]) end
end
local time = redis.call('TIME')
local now = time[1] .. string.format('%03d', math.floor(time[2] / 1000))
for _, each in ipairs(redis.call('ZRANGE', expiries, '-inf', now, 'BYSCORE', 'LIMIT', 0, 16)) do
  local space, name = each:sub(1, 1), each:sub(2)
  if redis.call('EXISTS', prefix .. ':' .. space .. ':' .. name) == 0 then redis.call('ZREM', index(space), name) end
  redis.call('ZREM', expiries, each)
end
return 1
)";

// KEYS: turns. ARGV: whose. Ends those of them that are theirs.
constexpr std::string_view kYield = R"(
for _, name in ipairs(KEYS) do
  if redis.call('GET', name) == ARGV[1] then redis.call('DEL', name) end
end
return 1
)";

// The bucket as "when, how far ahead of that it is full again", both in microseconds, so that no digit of a quick rate
// is lost in the size of a calendar's time. KEYS: the bucket. ARGV: units, microseconds of one, units at once. Gives:
// units let through, units left, microseconds until the bucket is full, until one more would be let through.
constexpr std::string_view kRate = R"(
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local units, one, most = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local ahead = 0
local there = redis.call('GET', KEYS[1])
if there then
  local at, was = there:match('^(%d+) (.+)$')
  ahead = math.max(0, tonumber(was) - math.max(0, now - tonumber(at)))
end
local room = math.max(0, math.floor(most - ahead / one + 1e-6))
local granted = math.min(units, room)
if granted > 0 then
  ahead = ahead + granted * one
  local lasts = string.format('%.0f', math.min(math.ceil(ahead / 1000) + 1000, 1e13))
  redis.call('SET', KEYS[1], string.format('%.0f %.17g', now, ahead), 'PX', lasts)
end
local wait = math.max(0, ahead + one - most * one)
return {granted, room - granted, math.min(math.ceil(ahead), 1e15), math.min(math.ceil(wait), 1e15)}
)";

// The record is the one of QuotaLedger: used = 1, ends = 2, both varints. KEYS: the record. ARGV: prefix, its key,
// units, the most, milliseconds of a period, when the first ends or "", what is left of
// the first or "". Gives: units let through, units left, microseconds until the period ends (negative: never).
constexpr std::string_view kQuota = R"(
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local units, most, every = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local there = redis.call('GET', KEYS[1])
local used, ends = nil, 0
if there then
  local fields, at = {[8] = 0, [16] = 0}, 1
  while at <= #there do
    local tag, number, scale = there:byte(at), 0, 1
    repeat
      at = at + 1
      local byte = there:byte(at) or 0
      number = number + (byte % 128) * scale
      scale = scale * 128
    until byte < 128
    at = at + 1
    fields[tag] = number
  end
  used, ends = fields[8], fields[16]
end
local begins = used == nil or (ends ~= 0 and ends <= now)
if begins then
  local first = used == nil
  used = 0
  if first and ARGV[7] ~= '' then used = math.max(0, most - tonumber(ARGV[7])) end
  local renews = tonumber(ARGV[6]) or 0
  ends = renews > now and renews or (every > 0 and now + every or 0)
end
local granted = math.min(units, math.max(0, most - used))
if granted > 0 or begins then
  used = used + granted
  local function varint(number)
    local bytes = ''
    while number >= 128 do
      bytes = bytes .. string.char(128 + number % 128)
      number = math.floor(number / 128)
    end
    return bytes .. string.char(number)
  end
  redis.call('SET', KEYS[1], '\8' .. varint(used) .. '\16' .. varint(ends))
  if ends ~= 0 then redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', ends)) end
  if begins then
    redis.call('ZADD', ARGV[1] .. ':index:q', 0, ARGV[2])
    if ends ~= 0 then redis.call('ZADD', ARGV[1] .. ':expiries', string.format('%.0f', ends), 'q' .. ARGV[2]) end
  end
end
return {granted, math.max(0, most - used), ends == 0 and -1 or math.max(0, ends - now) * 1000}
)";

}  // namespace

Script::Script(std::string_view text) : text_(text), hash_(sha1_hex(text)) {}

const Scripts& scripts() {
  static const Scripts all{Script(kFetch), Script(kFollow), Script(kScan), Script(kWrite),
                           Script(kYield), Script(kRate),   Script(kQuota)};
  return all;
}

std::span<const Script* const> all_scripts() {
  static const std::array<const Script*, 7> all{&scripts().fetch, &scripts().follow, &scripts().scan, &scripts().write,
                                                &scripts().yield, &scripts().rate,   &scripts().quota};
  return all;
}

std::string sha1_hex(std::string_view bytes) {
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : digest) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

}  // namespace lingate::store::redis
