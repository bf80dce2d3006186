// Text between the engine and the rest. Duktape keeps a string as one UTF-8-like character per UTF-16 unit (CESU-8):
// the same bytes as UTF-8 but for characters beyond U+FFFF, which are pairs of three bytes each. Headers and targets
// are bytes and become strings of one char per byte.
//
// Thread: the instance's. Lifetime: views returned point into the engine's string, or into `scratch` where a conversion
// was needed.
#pragma once

#include <duktape.h>

#include <string>
#include <string_view>

namespace lingate::runtimes::duktape {

// The string at `index` as the engine keeps it; symbols and all else have no text. Nothing is coerced.
bool get_string(duk_context* ctx, duk_idx_t index, std::string_view& units);

void push_utf8(duk_context* ctx, std::string_view utf8);  // what is not UTF-8 comes out with U+FFFD
void push_latin1(duk_context* ctx, std::string_view bytes);
void push_bytes(duk_context* ctx, std::string_view bytes);  // a Uint8Array

enum class Lone { refuse, replace };  // surrogates without their other half

// False: it holds half a surrogate pair (with Lone::refuse).
bool to_utf8(std::string_view units, Lone lone, std::string& scratch, std::string_view& utf8);
bool to_latin1(std::string_view units, std::string& scratch, std::string_view& bytes);  // false: a char above 0xFF

}  // namespace lingate::runtimes::duktape
