// The script-side half of the room, run once in each VM before the script. It builds the module `lingate`, `console`,
// `require` and the coroutines that calls run in, hands them to the host, and freezes everything that scripts share, so
// that no request can change what another one finds.
//
// native: functions of the host. Returns what the host keeps.
(function (native, Duktape, global) {
  "use strict";

  var yieldTo = Duktape.Thread.yield;
  var Thread = Duktape.Thread;
  var stringify = JSON.stringify;
  var freeze = Object.freeze;

  // ---- calls: a coroutine serves one slot, call after call ----

  // cells: see Cell and Thing in slot.h: 0 hook, 1 which one (2: request), 2 ctx, 6 req, 7 res. Locals and literals only:
  // a variable of the outer function costs a search through scopes each time.
  function serve(cells) {
    var hook, rest = yieldTo;
    for (;;) {
      hook = cells[0];
      cells = rest(cells[1] === 2 ? hook(cells[6], cells[2]) : hook(cells[7], cells[6], cells[2]));
    }
  }

  function makeThread() {
    return new Thread(serve);
  }

  // Called by the host: resuming needs a script function below it.
  function run(resume, thread, value) {
    return resume(thread, value);
  }

  // ---- modules: CommonJS, beside the script ----

  var modules = Object.create(null);

  function requireFrom(folder) {
    function require(name) {
      if (name === "lingate") return lingate;
      var path = native.resolve(name, folder);
      var module = modules[path];
      return module ? module.exports : start(path, native.compile(path)).exports;
    }
    freezeAll(require);
    return require;
  }

  function start(path, body) {
    var module = { exports: {}, id: path };
    modules[path] = module;
    try {
      body.call(module.exports, module.exports, requireFrom(native.folder(path)), module);
    } catch (error) {
      delete modules[path];
      throw error;
    }
    return module;
  }

  // ---- the module lingate ----

  function sleep(seconds) {
    native.wait(seconds);
    yieldTo();
    native.woken();
  }

  var parts = {
    respond: native.respond,
    log: { debug: native.debug, info: native.info, warn: native.warn, error: native.error },
    config: native.config(),
    now: native.now,
    json: { encode: native.jsonEncode, decode: native.jsonDecode },
    base64: { encode: native.base64Encode, decode: native.base64Decode },
    crypto: { sha256: native.sha256, hmac: native.hmac, equal: native.equal, random: native.random },
    query: { parse: native.queryParse, build: native.queryBuild },
    null: null,
    array: native.array,
    sleep: sleep
  };

  // ---- console and print ----

  function shown(value) {
    if (typeof value === "string") return value;
    try {
      if (value instanceof Error) return String(value.stack || value);
      if (typeof value === "object" && value !== null) {
        var json = stringify(value);
        if (typeof json === "string") return json;
      }
      return String(value);
    } catch (error) {
      return "[a value that cannot be shown]";
    }
  }

  function line(values) {
    var text = "";
    for (var i = 0; i < values.length; ++i) text += (i ? " " : "") + shown(values[i]);
    return text;
  }

  function logger(log) {
    return function () { log(line(arguments)); };
  }

  var console = {
    log: logger(native.info), info: logger(native.info), debug: logger(native.debug), trace: logger(native.debug),
    warn: logger(native.warn), error: logger(native.error)
  };
  global.console = console;
  global.print = console.log;

  // ---- what scripts do not get: the engine's own object, raw strings and buffers, other encodings ----

  delete global.Duktape;
  delete global.CBOR;
  delete global.Buffer;
  delete String.fromBufferRaw;
  delete Uint8Array.allocPlain;
  delete Uint8Array.plainOf;

  // ---- frozen: all that is reachable from here ----

  function freezeAll(value) {
    if ((typeof value !== "object" && typeof value !== "function") || value === null || Object.isFrozen(value)) return;
    freeze(value);
    freezeAll(Object.getPrototypeOf(value));
    var names = Object.getOwnPropertyNames(value).concat(Object.getOwnPropertySymbols(value));
    for (var i = 0; i < names.length; ++i) {
      var property = Object.getOwnPropertyDescriptor(value, names[i]);
      if (!property) continue;
      freezeAll(property.value);
      freezeAll(property.get);
      freezeAll(property.set);
    }
  }

  freezeAll(parts);
  freezeAll(native);
  freezeAll(serve);
  freezeAll(global);

  var lingate = native.seal(parts);
  var kept = {
    run: run, resume: Thread.resume, makeThread: makeThread, start: start,
    values: native.values, add: native.add, lines: native.lines, text: native.text, json: native.json
  };
  return kept;
})
