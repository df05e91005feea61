# SPDX-License-Identifier: MIT
"""power_loss.py WORK SECONDS SCENE...: record what each scene's command writes, cut the
power after each of these writes, and run the command again on what may then be on the disk.

The disk: what was synced is kept. Of the rest any part may be there: none, all, all but
one write, one write alone, one torn at a sector of 512 or a page of 4,096 bytes, a file
grown without its data, random parts. Names (create, rename, unlink, mkdir) are kept apart
from data, and only an fsync of their directory keeps them. /run is empty afterwards.

In each state every file must be old or new (disk_lib.py), and the next run must end in the
exact state. What is synced when the command ends must be new: it said so.

SECONDS = 0: all states. Scene `self` checks this program: writers that are known to be
broken must be caught, and a right one must not."""
import copy, hashlib, json, os, random, shutil, sys, time
import disk_lib
from disk_lib import Bad

LEAST = 8  # states per scene, however slow the machine is
RANDOM_PARTS = 6


class File:
    def __init__(self, data=b"", mode=0o600):
        self.data, self.mode = bytearray(data), mode

    def apply(self, op):
        what, args = op[0], op[1:]
        if what == "write":
            offset, data = args
            if len(self.data) < offset:
                self.data.extend(bytes(offset - len(self.data)))
            self.data[offset:offset + len(data)] = data
        elif what == "length":
            del self.data[args[0]:]
            self.data.extend(bytes(args[0] - len(self.data)))
        elif what == "grow":
            self.data.extend(bytes(max(0, args[0] - len(self.data))))
        elif what == "mode":
            self.mode = args[0]


class Disk:
    """files: number -> what is synced; names: path -> number, or None for a directory;
    pending: (number or directory, op) in the order they came."""

    def __init__(self, scene):
        self.files, self.names, self.pending = {}, {}, []
        for name in scene.files():
            path = scene.path(name)
            st = os.stat(path)
            with open(path, "rb") as f:
                self.files[st.st_ino] = File(f.read(), st.st_mode & 0o7777)
            self.names[path] = st.st_ino
        for at, _, _ in os.walk(scene.root or "/var/lib/aerostat"):
            self.names[at] = None

    def do(self, at, op):
        self.pending.append((at, op))

    def sync(self, at):
        for op in [op for where, op in self.pending if where == at]:
            self.apply(at, op)
        self.pending = [p for p in self.pending if p[0] != at]

    def apply(self, at, op):
        if op[0] == "name":
            self.names[op[1]] = op[2]
        elif op[0] == "gone":
            self.names.pop(op[1], None)
        elif op[0] == "rename":
            self.names.pop(op[1], None)
            self.names[op[2]] = op[3]
        else:
            self.files.setdefault(at, File()).apply(op)

    def take(self, e):
        """One call that succeeded."""
        call, path, ino = e["call"], e["path"], e["ino"]
        folder = os.path.dirname(path)
        if call in ("open", "creat"):
            if e.get("created"):
                self.files[ino] = File(mode=e["mode"] & 0o7777)
                self.do(folder, ("name", path, ino))
            elif e.get("truncated"):
                self.do(ino, ("length", 0))
        elif "data" in e:
            self.do(ino, ("write", e["offset"], bytes.fromhex(e["data"])))
            if e["dsync"]:
                self.sync(ino)
        elif call in ("ftruncate", "truncate"):
            self.do(ino, ("length", e["length"]))
        elif call == "fallocate":
            if not e["keep"]:
                self.do(ino, ("grow", e["length"]))
        elif call in ("fchmod", "chmod"):
            self.do(ino, ("mode", e["to_mode"] & 0o7777))
        elif call in ("fsync", "fdatasync"):
            self.sync(path if e["mode"] & 0o170000 == 0o040000 else ino)
        elif call == "mkdir":
            self.do(folder, ("name", path, None))
        elif call == "unlink":
            self.do(folder, ("gone", path))
        elif call == "rename":
            if os.path.dirname(e["to"]) != folder:
                raise Bad("a rename to another directory: %s" % e)
            self.do(folder, ("rename", path, e["to"], ino))
        elif call in ("link", "symlink", "rmdir") or (
                e.get("shared_write") and not path.endswith("-lock")):
            raise Bad("a call that this disk does not know: %s" % e)
        else:
            return False
        return True

    def parts(self, rng):
        """Which of the pending ops get to the disk: lists of (at, op)."""
        ops = self.pending
        yield ops
        yield []
        yield [p for p in ops if isinstance(p[0], str)]  # names before data
        yield [p for p in ops if not isinstance(p[0], str)]
        for i in range(len(ops)):
            yield ops[:i] + ops[i + 1:]
            yield [ops[i]]
            at, op = ops[i]
            if op[0] != "write":
                continue
            _, offset, data = op
            torn = [("grow", offset + len(data))]
            for unit in (512, 4096):
                cut = (offset // unit + 1) * unit - offset
                if cut < len(data):
                    torn.append(("write", offset, data[:cut]))
                    torn.append(("write", offset + cut, data[cut:]))
            for one in torn:
                yield ops[:i] + [(at, one)] + ops[i + 1:]
                yield ops[:i] + [(at, one)]
        for _ in range(RANDOM_PARTS):
            yield [p for p in ops if rng.random() < 0.5]

    def after(self, part):
        """path -> (mode, data) with that part of the pending ops."""
        disk = copy.copy(self)
        disk.names = dict(self.names)
        disk.files = dict(self.files)
        for at in {at for at, _ in part}:
            if at in disk.files:
                disk.files[at] = copy.deepcopy(disk.files[at])
        for at, op in part:
            disk.apply(at, op)
        return {path: (disk.files[number].mode, bytes(disk.files[number].data))
                for path, number in disk.names.items()
                if number is not None and "/run/" not in path.replace("/run/user", "")
                and os.path.dirname(path) in disk.names | {"/etc": None}}


def lay_down(scene, state):
    scene.wipe()
    for path, (mode, data) in state.items():
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(data)
        os.chmod(path, mode)


def record(scene, work):
    scene.learn()
    scene.reset()
    disk = Disk(scene)
    done = disk_lib.run([disk_lib.WALK, "-l", work + "/list"] + disk_lib.prefixes(scene)
                        + scene.command)
    if done.returncode != 0:
        raise Bad("%s: exit %d: %s" % (scene.name, done.returncode, done.stderr))
    scene.check_new()
    with open(work + "/list") as f:
        return disk, [json.loads(line) for line in f]


def digest(state):
    return hashlib.sha256(repr(sorted(state.items())).encode()).digest()


def states(disk, calls, rng):
    """(what came last, what is there), each state once; `done` for the last ones."""
    seen, n = set(), 0
    for call in calls + [None]:
        if call is not None and not disk.take(call):
            continue
        n += 1
        for part in disk.parts(rng):
            state = disk.after(part)
            key = (digest(state), call is None)
            if key in seen:
                continue
            seen.add(key)
            yield call, state


def replay(scene, work, seconds, rng):
    disk, calls = record(scene, work)
    todo = list(states(disk, calls, rng))
    last = [one for one in todo if one[0] is None]
    if seconds:
        rng.shuffle(todo)
        todo = last + [one for one in todo if one[0] is not None]
    end, ran, bad = time.monotonic() + seconds, 0, []
    for call, state in todo:
        if seconds and ran >= LEAST + len(last) and time.monotonic() > end:
            break
        what = "at the end" if call is None else "after call %d (%s %s)" % (
            call["n"], call["call"], call["path"])
        try:
            lay_down(scene, state)
            now = scene.check_old_or_new()
            if call is None:
                scene.check_new(now)
            scene.mend()
        except Bad as why:
            bad.append("%s, power lost %s: %s" % (scene.name, what, why))
            if len(bad) > 20:
                break
        ran += 1
    print("# %s: %d writes, %d of %d states" % (
        scene.name, sum("data" in c or c["call"] in ("rename", "unlink") for c in calls),
        ran, len(todo)), flush=True)
    return ran, bad


WRITER = """import os, sys
path, steps = sys.argv[1], sys.argv[2].split(",")
fd = os.open(path + ".tmp", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
os.write(fd, b"127.0.0.1 localhost\\n10.0.0.1 new\\n" * 400)
d = os.open(os.path.dirname(path), os.O_RDONLY)
for step in steps:
    if step == "data": os.fsync(fd)
    if step == "rename": os.rename(path + ".tmp", path)
    if step == "dir": os.fsync(d)
    if step == "place": os.unlink(path + ".tmp"); open(path, "w").write("new " * 999)
"""


def check_self(work, rng):
    """Broken writers are caught; the right one is not."""
    for i, (steps, right) in enumerate([
            ("data,rename,dir", True), ("rename,dir", False), ("data,rename", False),
            ("rename,data,dir", False), ("place", False)]):
        scene = disk_lib.Scene(work, "self%d" % i, [
            "/usr/bin/python3", "-c", WRITER.replace("{", "{{").replace("}", "}}"),
            "{root}/etc/hosts", steps], [])
        _, bad = replay(scene, work, 0, rng)
        if right != (not bad):
            raise Bad("the writer %s was %s: %s" % (
                steps, "caught" if bad else "not caught", bad))
    print("# four broken writers were caught, a right one was not")


def body():
    work, seconds, names = sys.argv[1], float(sys.argv[2]), sys.argv[3:]
    seed = int(os.environ.get("AEROSTAT_TEST_SEED", random.randrange(10**6)))
    print("# seed %d" % seed)
    rng, total, bad = random.Random(seed), 0, []
    if "self" in names:
        names.remove("self")
        check_self(work, rng)
    for scene in disk_lib.scenes(work, names):
        ran, wrong = replay(scene, work, seconds / len(names), rng)
        total += ran
        bad += wrong
        shutil.rmtree(work + "/" + scene.name)
    print("# %d states in all" % total)
    if bad:
        raise Bad("%d wrong, with seed %d:\n%s" % (len(bad), seed, "\n".join(bad)))


if __name__ == "__main__":
    disk_lib.main_guard(body)
