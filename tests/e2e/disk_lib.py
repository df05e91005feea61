# SPDX-License-Identifier: MIT
"""What the tests of disks and crashes share: commands to run on a prepared set of files,
and what must be true of these files afterwards. Used by disk_walk.py and power_loss.py.

A Scene has a template of the files before, and runs its command on a fresh copy. Facts are
what counts of each file: mode, owner and content; of a mirror or a store, what it answers.
"""
import glob, json, os, shutil, stat, subprocess, sys

WALK = os.environ["top_builddir"] + "/tests/walk_syscalls"
PUBLISH_TOOL = os.environ["top_builddir"] + "/tests/publish_tool"
STATE_TOOL = os.environ["top_builddir"] + "/tests/state_tool"
LIB = "var/lib/aerostat/"
CODES = {0, 1, 65, 69, 75, 77, 78}  # CONTRACTS 2 without 64: no test has a wrong usage
USER = "127.0.0.1 localhost\n192.0.2.7\tprinter  # mine\n# a note\r\n192.0.2.8 last\n"
STATUS_KEYS = {"mode", "generation", "hosts_generation", "names", "pid", "sync_count"}

# Written as they are: their content itself is old or new.
PLAIN = ["etc/hosts", "etc/hosts.bak", "etc/hosts.before-aerostat", "etc/hostname",
         LIB + "identity.json", LIB + "hosts.legacy.good"]


class Bad(Exception):
    pass


def run(argv, **more):
    return subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=60, text=True,
                          errors="replace", **more)


def good(argv):
    done = run(argv)
    if done.returncode != 0:
        raise Bad("%s: exit %d: %s" % (argv, done.returncode, done.stderr))
    return done.stdout


class Scene:
    """name; the command (words with {root} and {store}); steps: what was done before.
    base '' = the real root, within a private namespace."""

    def __init__(self, work, name, command, steps, base=None, store_inside=False,
                 again=(0,), mounts=(), hosts=USER, bare=False):
        self.name, self.again, self.mounts, self.bare = name, again, mounts, bare
        self.root = work + "/" + name + "/root" if base is None else base
        self.template = work + "/" + name + "/template"
        # A store that is not walked stands apart, and is only read.
        self.store = (self.root if store_inside else work + "/" + name) + "/store.mdb"
        self.store_inside = store_inside
        os.makedirs(self.template)
        os.makedirs(self.root + "/etc", exist_ok=True)
        self.wipe()
        self.put(self.root + "/etc/hosts", hosts)
        self.put(self.root + "/etc/hostname", "before\n")
        for step in steps:
            step(self)
        self.command = [word.format(**self.names()) for word in command]
        if bare:
            self.wipe()
            self.put(self.root + "/etc/hosts", hosts)
        self.keep()

    def names(self):
        return {"root": self.root or "/", "store": self.store}

    def put(self, path, text, mode=0o644):
        with open(path, "w", newline="") as f:
            f.write(text)
        os.chmod(path, mode)

    # ---- the files ----

    def files(self):
        """All files of ours below the root, by name."""
        found = [p for p in glob.glob(self.root + "/etc/host*")
                 if not p.endswith("/host.conf")]
        for folder in ("var/lib/aerostat", "run/aerostat"):
            for at, _, names in os.walk(self.root + "/" + folder):
                found += [at + "/" + name for name in names]
        if self.store_inside:
            found += glob.glob(self.store + "*")
        return sorted(os.path.relpath(p, self.root or "/") for p in found)

    def path(self, name):
        return self.root + "/" + name

    def wipe(self):
        for name in self.files():
            if name not in self.mounts:
                os.unlink(self.path(name))
        if self.bare:
            for folder in ("var", "run"):
                shutil.rmtree(self.path(folder), ignore_errors=True)

    def keep(self):
        """What is there now is what each run starts from."""
        for name in self.files():
            to = self.template + "/" + name
            os.makedirs(os.path.dirname(to), exist_ok=True)
            shutil.copy2(self.path(name), to)

    def reset(self):
        self.wipe()
        for at, _, names in os.walk(self.template):
            for one in names:
                name = os.path.relpath(at + "/" + one, self.template)
                to = self.path(name)
                os.makedirs(os.path.dirname(to), exist_ok=True)
                if name in self.mounts:
                    shutil.copyfile(at + "/" + one, to)
                    shutil.copymode(at + "/" + one, to)
                else:
                    shutil.copy2(at + "/" + one, to)

    # ---- what counts of them ----

    def mirror(self):
        """The lines that the mirror answers, or None without one."""
        if not os.path.exists(self.path(LIB + "hosts.mdb")):
            return None
        good([PUBLISH_TOOL, "-v", self.path(LIB + "hosts.mdb")])
        return good(["aerostat", "list", "--format=hosts", "--loglevel=ERROR",
                     "--root=" + self.names()["root"]])

    def state(self):
        """The documents of state.mdb, or 'new' when it holds none yet; opening may write,
        so that it is a copy that is opened."""
        copy = self.template + "/../state.copy"
        shutil.copyfile(self.path(LIB + "state.mdb"), copy)
        done = run([STATE_TOOL, copy, "lmdb:" + self.store + " aerostat"])
        for name in glob.glob(copy + "*"):
            os.unlink(name)
        if done.returncode != 0 and LIB + "state.mdb" in getattr(self, "old", ()):
            raise Bad("state.mdb: exit %d: %s" % (done.returncode, done.stderr))
        return done.stdout or "new"

    def slots(self):
        """hostname -> its line in the store."""
        if not os.path.exists(self.store):
            return {}
        done = run(["aerostat", "list", "--json", "--loglevel=ERROR",
                    "--server=lmdb:" + self.store])
        if done.returncode != 0:
            if os.path.getsize(self.store) == 0:
                return {}
            raise Bad("store: " + done.stderr)
        hosts = json.loads(done.stdout or "[]")
        return {h.get("hostname", h.get("name")): json.dumps(h, sort_keys=True)
                for h in (hosts if isinstance(hosts, list) else hosts["hosts"])}

    def status(self, name):
        with open(self.path(name)) as f:
            text = f.read()
        if name.endswith(".prom"):
            whole = text.endswith("\n") and text.startswith("# HELP aerostat_mode")
        else:
            whole = STATUS_KEYS <= set(json.loads(text))
        if not whole:
            raise Bad("%s is no whole status: %r" % (name, text[:200]))
        return "whole"

    def facts(self):
        """name -> what counts; files that are not there are not in it."""
        found = {}
        for name in PLAIN + [LIB + "hosts.mdb", LIB + "status.json",
                             LIB + "aerostat.prom", LIB + "state.mdb"]:
            try:
                st = os.lstat(self.path(name))
            except FileNotFoundError:
                continue
            if name in PLAIN:
                with open(self.path(name), "rb") as f:
                    content = f.read()
            elif name.endswith("hosts.mdb"):
                content = self.mirror()
            elif name.endswith("state.mdb"):
                content = self.state()
            else:
                content = self.status(name)
            found[name] = (oct(st.st_mode & 0o777), st.st_uid, st.st_gid, content)
        if self.store_inside:
            for host, line in self.slots().items():
                found["slot " + host] = line
        return found

    def learn(self):
        """Old and new: before, and after a run without a fault."""
        self.reset()
        self.old = self.facts()
        good(self.command)
        self.new = self.facts()
        self.left = set(self.files())
        if self.old == self.new:
            raise Bad(self.name + ": the command changes nothing")

    def recoverable(self, name, have):
        """A mount is written in place: half of it may be there, if what it is to become is
        kept beside it, marked. A hostname's first line is whole at any time."""
        if name not in self.mounts or have is None:
            return False
        if name == "etc/hostname":
            return have[3].split(b"\n")[0] in {
                f[name][3].split(b"\n")[0] for f in (self.old, self.new)}
        try:
            return os.stat(self.path(name + ".tmp")).st_mode & stat.S_ISVTX
        except FileNotFoundError:
            return False

    def check_old_or_new(self):
        """Each file on its own."""
        now = self.facts()
        for name in set(self.old) | set(self.new) | set(now):
            have = now.get(name)
            if have in (self.old.get(name), self.new.get(name)):
                continue
            if self.recoverable(name, have):
                continue
            # the naming steps make a slot, or blank one, before they claim it
            if name in self.new and name.startswith("slot ") and have and \
                    json.loads(have)["gap"]:
                continue
            if name == LIB + "state.mdb" and name not in self.old and (
                    have is None or (have[0], have[3]) == ("0o600", "new")):
                continue
            raise Bad("%s is neither old nor new:\n%r\nold %r\nnew %r" % (
                name, have, self.old.get(name), self.new.get(name)))
        return now

    def check_new(self, now=None):
        now = self.facts() if now is None else now
        for name in set(self.new) | set(now):
            if now.get(name) != self.new.get(name):
                raise Bad("%s is not as it should be:\n%r\nwanted %r" % (
                    name, now.get(name), self.new.get(name)))

    def mend(self, may_stay=""):
        """A run without a fault makes all as if there had been none."""
        done = run(self.command)
        if done.returncode not in self.again:
            raise Bad("the next run: exit %d: %s" % (done.returncode, done.stderr))
        self.check_new()
        more = {n for n in self.files() if not n.startswith(LIB + "state.mdb.damaged")
                and self.path(n) != may_stay}
        # a lock file comes with its lock; /run is empty after a loss of power
        gone = {n for n in self.left - more if not n.startswith("run/")}
        if more - self.left or gone:
            raise Bad("left behind: %s, missing: %s" % (more - self.left, gone))
        return done


# ---- the scenes ----

def register(number, service="web"):
    return lambda scene: good(
        ["aerostat-register", "--root=" + scene.names()["root"], "--loglevel=ERROR",
         "--server=lmdb:" + scene.store, "--service=" + service, "--type=masterful"
         if service == "db" else "--type=", "--instance-id=i-%02x" % number,
         "--ip=10.0.0.%d" % number, "--offline"])


def as_node(number):
    """identity.json of this node, as a registration leaves it."""
    return register(number)


def once(scene):
    good(["aerostat-syncd", "--root=" + scene.names()["root"], "--loglevel=ERROR",
          "--server=lmdb:" + scene.store, "--once"])


def updater(scene):
    scene.put(scene.root + "/updater" if scene.root else "/run/updater",
              "#!/bin/sh\nprintf '10.9.9.9 old\\n' >\"$AEROSTAT_LEGACY.part\" &&\n"
              "mv \"$AEROSTAT_LEGACY.part\" \"$AEROSTAT_LEGACY\"\n", 0o755)


SYNC = ["aerostat-syncd", "--root={root}", "--server=lmdb:{store}", "--once",
        "--prometheus-file={root}/var/lib/aerostat/aerostat.prom"]
LEGACY = SYNC + ["--legacy-updater={root}/updater"]
JOIN = ["--root={root}", "--server=lmdb:{store}", "--offline", "--register-deadline=3"]


def scenes(work, names):
    """The scenes that were asked for, by name, made one after the other."""
    def slot_lines(scene):
        scene.put(scene.root + "/slots.json", "".join(
            '{"hostname":"web-%d","service":"web","service_type":"iterative",'
            '"instance_id":"i-%02x","ip":"10.1.0.%d","aliases":null}\n' % (i, i, i)
            for i in range(4)))

    table = {
        # nothing is there yet, not even the folders
        "first": dict(command=SYNC, steps=[register(1), register(2)], bare=True),
        "update": dict(command=SYNC, steps=[register(1), once, register(2)]),
        "takeover": dict(command=LEGACY, steps=[updater, register(1), once,
                                                register(2)]),
        "register": dict(command=["aerostat-register"] + JOIN + [
            "--service=web", "--instance-id=i-07", "--ip=10.0.0.7", "--alias=seven"],
            steps=[register(1)], store_inside=True),
        "changeover": dict(command=["aerostat", "--change-master"] + JOIN + [
            "--service=db", "--type=masterful", "--instance-id=i-02"],
            steps=[register(1, "db"), register(2, "db")], store_inside=True),
        "release": dict(command=["aerostat", "release", "--metadata-endpoint="
                                 "http://127.0.0.1:1", "--register-deadline=1"] + JOIN[:2],
                        steps=[register(1), register(2)], store_inside=True,
                        again=(0, 69)),  # released already: who this was is gone
        "import": dict(command=["aerostat", "import", "{root}/slots.json"] + JOIN[:2],
                       steps=[slot_lines, register(1), register(2)],
                       store_inside=True),
    }
    # With the real paths, in a private namespace.
    real = [word.replace("{root}/", "/") for word in SYNC if "--root" not in word]
    both = ("etc/hosts", "etc/hostname")
    name = ["aerostat-register", "--server=lmdb:{store}", "--service=web",
            "--instance-id=i-07", "--ip=10.0.0.7", "--register-deadline=3"]
    table["hostname"] = dict(command=name, steps=[], base="")
    table["hostname-mount"] = dict(command=name, steps=[], base="",
                                   mounts=both)
    table["hosts-mount"] = dict(command=real, steps=[register(1), once, register(2)],
                                base="", mounts=both)
    for one in names:
        yield Scene(work, one, **table[one])


def prefixes(scene):
    """What walk_syscalls counts."""
    if scene.root:
        return ["-r", scene.root]
    return ["-r", "/etc/hosts", "-r", "/etc/hostname", "-x", "/etc", "-r",
            "/var/lib/aerostat", "-r", "/run/aerostat/", "-x", "/run/aerostat"]


def main_guard(body):
    try:
        body()
    except Bad as bad:
        sys.exit("FAIL: %s" % bad)
