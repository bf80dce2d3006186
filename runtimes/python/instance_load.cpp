// Loading and unloading of a ModuleInstance.
#include <algorithm>
#include <atomic>
#include <filesystem>

#include "runtimes/python/failure.h"
#include "runtimes/python/instance.h"
#include "runtimes/python/interpreter.h"
#include "runtimes/python/objects.h"
#include "runtimes/python/running.h"
#include "runtimes/python/text.h"
#include "runtimes/python/values.h"

namespace lingate::runtimes::python {
namespace {

struct HookShape {
  Hook hook;
  const char* name;
  std::int8_t most;  // parameters it is given
};

constexpr HookShape kShapes[] = {{Hook::request, "request", 2}, {Hook::response, "response", 3}, {Hook::log, "log", 3}};

// How many of `most` parameters the hook takes.
std::int8_t arity_of(PyObject* hook, std::int8_t most) {
  if (PyFunction_Check(hook)) {
    const auto* code = reinterpret_cast<const PyCodeObject*>(PyFunction_GetCode(hook));
    if ((code->co_flags & CO_VARARGS) != 0) return most;
    return static_cast<std::int8_t>(std::min<int>(code->co_argcount, most));
  }
  const Ref count(PyObject_CallFunctionObjArgs(interpreter().prelude("parameters"), hook, nullptr));
  const long known = count ? PyLong_AsLong(count.get()) : -1;
  PyErr_Clear();
  return known < 0 ? most : static_cast<std::int8_t>(std::min<long>(known, most));
}

Link* make_link(Host& host) {
  auto* link = PyObject_New(Link, interpreter().types.link);
  if (link == nullptr) return nullptr;
  link->host = &host;
  link->lines = new std::string[2];
  return link;
}

}  // namespace

ModuleInstance::ModuleInstance(Watchdog& watchdog, const Script& script, Host& host)
    : host_(host), watch_(watchdog, *this), account_(new Account(script.memory)), path_(script.path) {
  interpreter().housekeeper.enrol(interrupt_);
}

ModuleInstance::~ModuleInstance() {
  {
    const Running running(*account_, interrupt_, link_);
    interrupt_.silence();  // finalisers of a script that is unloaded have no budget
    suspended_.clear();
    for (const auto& call : calls_) {
      for (Bound* bound : call->bound)
        if (bound != nullptr) bound->call = nullptr;  // what the call was made for may be gone
      call->release();
      for (Bound* bound : call->bound)
        Py_XDECREF(bound);
    }
    if (unit_) {
      const Ref closed(PyObject_CallMethod(unit_.get(), "close", nullptr));
      if (!closed) PyErr_Clear();
    }
    for (Ref& function : functions_)
      function.reset();
    unit_.reset();
    if (link_ != nullptr) {
      link_->host = nullptr;
      Py_DECREF(link_);
    }
  }
  interpreter().housekeeper.remove(interrupt_);
  interpreter().housekeeper.collect_soon();
  account_->close();
}

Result<void, LoadError> ModuleInstance::load(const Script& script) {
  std::optional<LoadError> error;
  watch_.arm(Clock::now() + script.init_budget);
  {
    const Gil first;  // the link is not charged to anybody
    link_ = make_link(host_);
  }
  {
    const Running running(*account_, interrupt_, link_);
    if (!running.started()) {
      error = load_error("the Python interpreter was held by another script for the whole init budget");
      error->kind = FailureKind::unavailable;
    } else {
      error = load_module(script);
    }
    flush_lines(*link_);
  }
  if (watch_.disarm()) settle();
  if (error) return fail(*std::move(error));
  return {};
}

std::optional<LoadError> ModuleInstance::load_module(const Script& script) {
  const Ref config = read_any(script.config);
  if (!config) return load_error();
  const Ref module = run_module(script, config.get());
  if (!module) return load_error();
  if (std::optional<LoadError> error = find_hooks(module.get())) return error;
  if (!run_init(module.get(), config.get())) return load_error();
  if (interrupt_.doom() != Interrupt::Doom::none) return load_error();
  const Ref files(PyObject_GetAttrString(unit_.get(), "files"));
  for (Py_ssize_t i = 0; files && i < PyList_GET_SIZE(files.get()); ++i)
    dependencies_.push_back(cut_text(PyList_GET_ITEM(files.get(), i), 4096));
  // What lives now lives as long as the instance: the collector need not look at it again.
  interpreter().collect(2);
  interpreter().freeze();
  if (interrupt_.doom() != Interrupt::Doom::none) return load_error();
  return std::nullopt;
}

Ref ModuleInstance::run_module(const Script& script, PyObject* config) {
  static std::atomic<long> numbers{0};
  const Ref lingate(make_module(config));
  const Ref path(text_from(script.path));
  if (!lingate || !path) return Ref();
  unit_ = Ref(PyObject_CallFunction(interpreter().prelude("Unit"), "lOO", ++numbers, path.get(), lingate.get()));
  const Ref source(bytes_from(script.source));
  if (!unit_ || !source) return Ref();
  return Ref(PyObject_CallMethod(unit_.get(), "load", "O", source.get()));
}

std::optional<LoadError> ModuleInstance::find_hooks(PyObject* module) {
  PyObject* names = PyModule_GetDict(module);
  bool any = false;
  for (const HookShape& shape : kShapes) {
    PyObject* hook = PyDict_GetItemString(names, shape.name);
    if (hook == nullptr || hook == Py_None) continue;
    if (PyCallable_Check(hook) == 0)
      return load_error(std::string(shape.name) + " is an object of type " + Py_TYPE(hook)->tp_name +
                        "; a hook is a function");
    const std::int8_t arity = arity_of(hook, shape.most);
    (shape.hook == Hook::request    ? hooks_.request
     : shape.hook == Hook::response ? hooks_.response
                                    : hooks_.log) = arity;
    functions_[static_cast<std::size_t>(shape.hook)] = Ref::shared(hook);
    any = true;
  }
  if (!any) return load_error("the script exports no hook; define request(), response() or log()");
  return std::nullopt;
}

bool ModuleInstance::run_init(PyObject* module, PyObject* config) {
  PyObject* init = PyDict_GetItemString(PyModule_GetDict(module), "init");
  if (init == nullptr || init == Py_None) return true;
  const std::int8_t arity = arity_of(init, 1);
  const Ref done(PyObject_Vectorcall(init, &config, static_cast<std::size_t>(arity), nullptr));
  if (done && PyCoro_CheckExact(done.get())) {
    raise("init() cannot wait: write 'def init(config)', not 'async def'");
    interrupt_.silence();
    return false;
  }
  return static_cast<bool>(done);
}

// From the error that is set, or from the call's doom.
LoadError ModuleInstance::load_error() {
  Fault fault = take_fault();
  name_doom(fault, "loading");
  if (interrupt_.doom() == Interrupt::Doom::timeout) fault.message = "loading took longer than its budget";
  if (fault.file.empty()) fault.file = path_;
  return {fault.kind, std::move(fault.message), std::move(fault.file), fault.line, std::move(fault.stack)};
}

LoadError ModuleInstance::load_error(std::string message) const {
  return {FailureKind::exception, std::move(message), path_, 0, {}};
}

}  // namespace lingate::runtimes::python
