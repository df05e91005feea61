# SPDX-License-Identifier: MIT
"""disk_walk.py WORK SECONDS SCENE...: run each scene's command with a fault at its system
calls: killed before, killed after, failing with each errno, cut short. Then every file must
be old or new, the exit code and the words right, and the next run must mend all.

SECONDS = 0: every call with every fault. Else a random share of them within the time, the
seed printed (AEROSTAT_TEST_SEED gives one)."""
import errno, os, random, re, sys, time
import disk_lib
from disk_lib import LIB, Bad

ERRNOS = ["ENOSPC", "EIO", "EROFS", "EBUSY", "EXDEV", "EMFILE", "EACCES", "ENOMEM"]
LEAST = 8  # faults per scene, however slow the machine is


def faults(calls):
    for n in range(1, calls + 1):
        yield ("-k", n, None)
        yield ("-K", n, None)
        yield ("-s", n, None)
        for name in ERRNOS:
            yield ("-e", n, name)


def walk(scene, work, fault):
    option, n, name = fault
    what = str(n) if name is None else "%d:%d" % (n, getattr(errno, name))
    done = disk_lib.run([disk_lib.WALK, "-c", work + "/hit", option, what]
                        + disk_lib.prefixes(scene) + scene.command)
    with open(work + "/hit") as f:
        done.hit = f.read().split(" ", 1)[1].strip()
    return done


def check(scene, fault, done):
    option, _, name = fault
    code, killed = done.returncode, option in ("-k", "-K")
    if killed and done.hit != "none" and code != 137:
        raise Bad("not killed: exit %d" % code)
    if not killed and code not in disk_lib.CODES:
        raise Bad("exit %d: %s" % (code, done.stderr))
    now = scene.check_old_or_new()
    if code == 0:
        # Done means done: what is only told about may be old.
        for name in scene.new:
            if name.startswith(LIB + "status") or name.endswith((".prom", ".good")) or (
                    name == "etc/hostname" and scene.command[0] == "aerostat-syncd"):
                now[name] = scene.new[name]
        scene.check_new(now)
    elif not killed and not re.search(r"['/ ](%s)" % "|".join(
            re.escape(p) for p in paths(scene, done.hit)), done.stderr):
        raise Bad("exit %d, and the words name no file: %s" % (code, done.stderr))


def paths(scene, hit):
    """Names that words about this call may use."""
    path = hit.split(" ")[-1].replace(" (deleted)", "")
    base = path[:-4] if path.endswith(".tmp") else path
    base = base[:-5] if base.endswith("-lock") else base
    return {path, base, os.path.dirname(base)}


def walk_scene(scene, work, seconds, rng):
    scene.learn()
    scene.reset()
    count = disk_lib.run([disk_lib.WALK, "-c", work + "/count"]
                         + disk_lib.prefixes(scene) + scene.command)
    with open(work + "/count") as f:
        calls = int(f.read().split()[0])
    if count.returncode != 0 or calls < 20:
        raise Bad("%s: exit %d after %d calls" % (scene.name, count.returncode, calls))
    todo = list(faults(calls))
    if seconds:
        rng.shuffle(todo)
    end, ran, codes, bad = time.monotonic() + seconds, 0, {}, []
    for fault in todo:
        if seconds and ran >= LEAST and time.monotonic() > end:
            break
        scene.reset()
        done = walk(scene, work, fault)
        try:
            check(scene, fault, done)
            # a temporary file that could not be removed waits for the next write
            scene.mend(done.hit.split()[1] if done.hit.startswith("unlink") else "")
        except Bad as why:
            bad.append("%s %s at call %d (%s): %s" % (
                scene.name, fault[2] or fault[0], fault[1], done.hit, why))
            if len(bad) > 20:
                break
        ran += 1
        codes[done.returncode] = codes.get(done.returncode, 0) + 1
    print("# %s: %d calls, %d of %d faults, exits %s" % (
        scene.name, calls, ran, len(todo),
        " ".join("%d*%d" % (code, codes[code]) for code in sorted(codes))), flush=True)
    return ran, bad


def body():
    work, seconds, names = sys.argv[1], float(sys.argv[2]), sys.argv[3:]
    seed = int(os.environ.get("AEROSTAT_TEST_SEED", random.randrange(10**6)))
    print("# seed %d" % seed)
    rng, total, bad = random.Random(seed), 0, []
    for scene in disk_lib.scenes(work, names):
        ran, wrong = walk_scene(scene, work, seconds / len(names), rng)
        total += ran
        bad += wrong
    print("# %d faults in all" % total)
    if bad:
        raise Bad("%d wrong, with seed %d:\n%s" % (len(bad), seed, "\n".join(bad)))


if __name__ == "__main__":
    disk_lib.main_guard(body)
