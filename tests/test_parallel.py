import math

import pytest

from understudy.parallel import InlineExecutor, ParallelConfig, executor


def test_one_worker_works_in_this_process():
    with executor(ParallelConfig(workers=1)) as pool:
        assert isinstance(pool, InlineExecutor)
        assert pool.submit(math.sqrt, 9).result() == 3
        with pytest.raises(ValueError, match=r"math domain|nonnegative"):
            pool.submit(math.sqrt, -1).result()


def test_processes_give_the_same_results():
    with executor(ParallelConfig(workers=2)) as pool:
        assert [future.result() for future in [pool.submit(math.factorial, n) for n in range(5)]] == [1, 1, 2, 6, 24]
