import numpy as np
import pytest

from understudy.errors import UserError
from understudy.gan.data import faces_key, read_faces


def test_only_the_given_rows_teach_and_never_one_without_a_face(tmp_path, make_faceset) -> None:
    faces = make_faceset(count=40, faceless=3)
    rows = np.arange(0, 40, 2)
    read = read_faces([faces], 16, 100, tmp_path, [rows])
    expected = faces.images(rows[2:]).transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(read, expected)
    with pytest.raises(UserError, match=r"holds 4 faces that are selected .* or loosen 'data_engineering\.selection'"):
        read_faces([faces], 16, 100, tmp_path, [np.arange(36, 40)])


def test_other_rows_are_another_training(make_faceset) -> None:
    faces = make_faceset()
    keys = {faces_key([faces]), faces_key([faces], [np.arange(18)]), faces_key([faces], [np.arange(1, 19)])}
    assert len(keys) == 3
    assert faces_key([faces], [np.arange(18)]) == faces_key([faces], [np.arange(18)])
