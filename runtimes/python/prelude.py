"""The half of the room that is easier said in Python: one name space for each instance.

A script and the modules beside it live in sys.modules under names of their instance's own ("lingate_scripts.i7.tenant"),
so neither two scripts of one name nor two helpers of one name ever meet. `import helper` in them goes through an
__import__ of the instance's own, found in its own builtins; the standard library is shared.
"""
import importlib
import importlib.machinery
import importlib.util
import os.path
import sys
import types

import builtins

ROOT = "lingate_scripts"
units = {}


class Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, name, path, unit):
        super().__init__(name, path)
        self.unit = unit

    def get_code(self, fullname):
        # Never a cached one: a reload compares the sources.
        return self.source_to_code(self.get_data(self.path), self.path)

    def exec_module(self, module):
        self.unit.files.append(self.path)
        module.__dict__["__builtins__"] = self.unit.builtins
        super().exec_module(module)


class Finder:
    @staticmethod
    def find_spec(fullname, path=None, target=None):
        if not fullname.startswith(ROOT + "."):
            return None
        _, number, *parts = fullname.split(".")
        unit = units.get(number)
        if unit is None or not parts:
            return None
        place = os.path.join(unit.folder, *parts)
        init = os.path.join(place, "__init__.py")
        if os.path.isfile(init):
            return importlib.util.spec_from_file_location(
                fullname, init, loader=Loader(fullname, init, unit), submodule_search_locations=[place])
        file = place + ".py"
        if os.path.isfile(file):
            return importlib.util.spec_from_file_location(fullname, file, loader=Loader(fullname, file, unit))
        if os.path.isdir(place):
            spec = importlib.machinery.ModuleSpec(fullname, None, is_package=True)
            spec.submodule_search_locations = [place]
            return spec
        return None

    @staticmethod
    def invalidate_caches():
        pass


class Unit:
    """One instance's name space."""

    def __init__(self, number, path, lingate):
        self.number = "i%d" % number
        self.package = ROOT + "." + self.number
        self.path = path
        self.folder = os.path.dirname(os.path.abspath(path))
        self.lingate = lingate
        self.files = []
        self.known = {}
        self.builtins = dict(vars(builtins))
        self.builtins["__import__"] = self.importer()
        package = types.ModuleType(self.package)
        package.__path__ = [self.folder]
        sys.modules[self.package] = package
        units[self.number] = self

    def owns(self, name):
        """Is `name` a module or package beside the script? As in Python, a bare folder never hides the library's."""
        place = os.path.join(self.folder, name)
        return (os.path.isfile(place + ".py") or os.path.isfile(os.path.join(place, "__init__.py"))
                or (name not in sys.stdlib_module_names and os.path.isdir(place)))

    def importer(self):
        shared = builtins.__import__
        prefix = self.package + "."
        known = self.known
        lingate = self.lingate

        def __import__(name, globals=None, locals=None, fromlist=(), level=0):
            if level:
                return shared(name, globals, locals, fromlist, level)
            top = name.partition(".")[0]
            if top == "lingate":
                return lingate
            mine = known.get(top)
            if mine is None:
                mine = known[top] = self.owns(top)
            if not mine:
                return shared(name, globals, locals, fromlist, 0)
            try:
                module = shared(prefix + name, globals, locals, fromlist or ("__name__",), 0)
            except ModuleNotFoundError as error:
                if error.name is not None and error.name.startswith(prefix):
                    error.name = error.name[len(prefix):]
                    error.msg = "No module named %r" % error.name
                raise
            return module if fromlist else sys.modules[prefix + top]

        return __import__

    def load(self, source):
        code = compile(source, self.path, "exec", dont_inherit=True)
        stem = os.path.splitext(os.path.basename(self.path))[0]
        module = types.ModuleType(self.package + "." + stem)
        module.__file__ = self.path
        module.__package__ = self.package
        module.__dict__["__builtins__"] = self.builtins
        sys.modules[module.__name__] = module
        exec(code, module.__dict__)
        return module

    def close(self):
        units.pop(self.number, None)
        prefix = self.package + "."
        for name in [name for name in sys.modules if name.startswith(prefix) or name == self.package]:
            module = sys.modules.pop(name)
            vars(module).clear()


def parameters(hook):
    """How many parameters a hook takes, -1 if it cannot be known."""
    import inspect
    try:
        found = inspect.signature(hook).parameters.values()
    except (TypeError, ValueError):
        return -1
    if any(p.kind is p.VAR_POSITIONAL for p in found):
        return -1
    return sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in found)


def refusing(name, why):
    def refused(*args, **kwargs):
        raise RuntimeError(name + "() is not for scripts: " + why)
    return refused




sys.setrecursionlimit = refusing("sys.setrecursionlimit", "it is set to what the thread's stack can bear")
sys.settrace = refusing("sys.settrace", "the budget works with it")
sys.setprofile = refusing("sys.setprofile", "the budget works with it")
# What these call runs untraced, so that no budget would end it; and an audit hook hears of all scripts.
sys.addaudithook = refusing("sys.addaudithook", "the budget does not reach what it calls")
sys.modules["_lsprof"] = None
sys.setswitchinterval(0.001)
sys.setswitchinterval = refusing("sys.setswitchinterval", "it is the whole process's")
sys.stdin = sys.__stdin__ = None
sys.stdout = sys.__stdout__ = stdout
sys.stderr = sys.__stderr__ = stderr
sys.unraisablehook = sys.__unraisablehook__ = unraisable
sys.argv = []
root = types.ModuleType(ROOT)
root.__path__ = []
sys.modules[ROOT] = root
sys.meta_path.insert(0, Finder)

import gc

# The instances collect when they idle; these thresholds are for constant load.
gc.set_threshold(20000, 20, 100)
