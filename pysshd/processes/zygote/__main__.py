"""`python -I -m pysshd.processes.zygote`, started by the monitor alone, with its socket as descriptor 3."""

from pysshd.processes.zygote.hooks import refuse_hooks

if __name__ == "__main__":
    refuse_hooks()

    from pysshd.processes.zygote.program import serve
    from pysshd.processes.zygote.warm import PROGRAMS, warm_up

    warm_up()
    serve(PROGRAMS)
