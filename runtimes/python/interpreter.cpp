#include "runtimes/python/interpreter.h"

#include <malloc.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "runtimes/python/account.h"
#include "runtimes/python/objects.h"
#include "runtimes/python/prelude.h"
#include "runtimes/python/thread.h"

namespace lingate::runtimes::python {
namespace {

// The standard library is the operating system's, whatever PATH and the environment say; nothing else is importable.
constexpr const wchar_t* kHome = L"/usr";
constexpr const wchar_t* kLibrary = L"/usr/lib/python3.11";
constexpr const wchar_t* kExtensions = L"/usr/lib/python3.11/lib-dynload";

[[noreturn]] void die(const char* what) {
  std::fprintf(stderr,
               "lingate: CPython %s cannot start: %s; install Debian's libpython3.11 and libpython3.11-stdlib\n",
               PY_VERSION, what);
  std::exit(6);
}

void check(const PyStatus& status) {
  if (PyStatus_Exception(status) != 0) die(status.err_msg != nullptr ? status.err_msg : "it exits");
}

void configure(PyConfig& config) {
  PyConfig_InitIsolatedConfig(&config);  // no environment, no user site, no working directory, no argv
  config.install_signal_handlers = 0;
  config.site_import = 0;
  config.write_bytecode = 0;
  config.buffered_stdio = 1;
  config.configure_c_stdio = 0;
  config.faulthandler = 0;
  check(PyConfig_SetString(&config, &config.home, kHome));
  check(PyConfig_SetString(&config, &config.program_name, L"/usr/bin/python3.11"));
  config.module_search_paths_set = 1;
  check(PyWideStringList_Append(&config.module_search_paths, kLibrary));
  check(PyWideStringList_Append(&config.module_search_paths, kExtensions));
}

}  // namespace

Interpreter::Interpreter() {
  one_ = this;
  PyPreConfig before;
  PyPreConfig_InitIsolatedConfig(&before);
  before.utf8_mode = 1;
  before.configure_locale = 0;
  check(Py_PreInitialize(&before));
  install_allocators();
  PyConfig config;
  configure(config);
  check(Py_InitializeFromConfig(&config));
  PyConfig_Clear(&config);
  state_ = PyInterpreterState_Get();
  if (!make_types(types)) die("its types cannot be made");
  run_prelude();
  housekeeper.enrol(quiet_);
  adopt_thread(PyThreadState_Get());
  PyEval_SaveThread();
  housekeeper.start();
}

void Interpreter::run_prelude() {
  const Ref code(Py_CompileString(kPrelude, "<lingate>", Py_file_input));
  prelude_ = PyDict_New();
  if (!code || prelude_ == nullptr || !fill_prelude(prelude_)) die("the prelude is broken");
  PyDict_SetItemString(prelude_, "__builtins__", PyEval_GetBuiltins());
  const Ref done(PyEval_EvalCode(code.get(), prelude_, prelude_));
  if (!done) {
    PyErr_Print();
    die("the prelude fails");
  }
  gc_ = PyImport_ImportModule("gc");
  if (gc_ == nullptr) die("there is no gc module");
}

PyObject* Interpreter::prelude(const char* function) const {
  return PyDict_GetItemString(prelude_, function);
}

void Interpreter::freeze() {
  const Ref done(PyObject_CallMethod(gc_, "freeze", nullptr));
  if (!done) PyErr_Clear();
}

void Interpreter::collect(int generation) {
  const Ref done(PyObject_CallMethod(gc_, "collect", "i", generation));
  if (!done) PyErr_Clear();
}

void Interpreter::give_back() {
  collect(2);
  PyType_ClearCache();  // it would hold the names of the giant's classes, and by them an arena
  // `object` knows its subclasses in a dictionary, whose table never shrinks: a copy has the size of what lives.
  PyObject*& subclasses = PyBaseObject_Type.tp_subclasses;
  if (subclasses != nullptr && PyDict_CheckExact(subclasses)) {
    if (PyObject* const copy = PyDict_Copy(subclasses))
      Py_SETREF(subclasses, copy);
    else
      PyErr_Clear();
  }
  ::malloc_trim(0);  // the allocator would keep what came back for the next giant
}

void Interpreter::collect_unloaded() {
  // Finalisers of scripts that are gone have no budget, so they do not run.
  Here& here_now = here();
  here_now.interrupt = &quiet_;
  quiet_.begin(here_now.state);
  quiet_.silence();
  const Ref thawed(PyObject_CallMethod(gc_, "unfreeze", nullptr));
  if (!thawed) PyErr_Clear();
  collect(2);
  freeze();
  quiet_.end();
  here_now.interrupt = nullptr;
}

void start_interpreter() {
  [[maybe_unused]] static const bool started = [] {
    new Interpreter;  // it sets one_, which its own parts need while it is made
    return true;
  }();
}

}  // namespace lingate::runtimes::python
