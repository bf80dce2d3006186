// The engine's own headers, for the files of this room only.
#pragma once

extern "C" {
#include <lauxlib.h>
#include <lua.h>
#include <luajit.h>
#include <lualib.h>
}
