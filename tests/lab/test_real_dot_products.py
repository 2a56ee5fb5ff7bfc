"""The twin of a real chip's kernel against the dot products that the chip made with it.

Data of doi 10.1038/s41467-025-56319-6: 100 random vectors, 25 outputs. Neither the vectors nor the
states of the cells at that time are published, so what is compared is how the products lie around
the computed ones, not product by product.
"""

import numpy as np
import pytest

from analysis.dot_product import dot_product_quality
from crossbar.geometry import DieAddress
from crossbar.records import DotProductBlock
from db.store import Store
from lab.chosen_bench import ChosenBench
from lab.configuration import read_configuration
from lab.importing.conductance_maps import kernel_named, read_conductance_maps, twin_configuration
from lab.importing.dot_products import fit_front_end, read_dot_products
from lab.session import session
from physics.product_front_end import ProductFrontEnd
from physics.twin import LOW_ABOVE
from protocols.program_and_verify import ProgramAndVerifyParameters, program_and_verify

FILES = ("dot-product-kernel-17-computed.txt", "dot-product-kernel-17-measured.txt")
OUTPUTS = 25
HERE = DieAddress(0, 0)


def quality(computed, measured):
    """Of currents (vectors, outputs): those computed stand for voltages on cells of 1 S."""
    return dot_product_quality(
        DotProductBlock(
            subarray=0, row_voltages=computed, current=measured, conductance=np.eye(OUTPUTS)
        )
    )


@pytest.fixture(scope="module")
def real(data_dir):
    """(vectors, outputs) amperes, computed and measured by the authors."""
    return tuple(read_dot_products(data_dir / "measured-dies" / name, OUTPUTS) for name in FILES)


@pytest.fixture(scope="module")
def twin_of_kernel(data_dir, tmp_path_factory):
    """Dot products of kernel 17's twin, through the emulated board's bytes: (computed, measured).

    Its cells are written to the states of the first programming and read one by one, as the
    authors did; the inputs are random, up to the board's 0.3 V in both directions.
    """
    maps = read_conductance_maps(data_dir / "measured-dies", "chip")

    def products(front_end=None, line_resistance=0.0, seed=1):
        built_in, source = read_configuration(None)
        kernel = kernel_named(maps, "17")
        configuration = twin_configuration(built_in, "chip", seed, only=kernel, front_end=front_end)
        simulation = configuration.simulation.model_copy(
            update={"line_resistance": line_resistance}
        )
        chosen = ChosenBench(
            configuration=configuration.model_copy(update={"simulation": simulation}),
            source=source,
        )
        database = tmp_path_factory.mktemp("chip") / "lab.sqlite"
        with Store.open(database) as store:
            for found in maps:
                store.save_conductance_map(found)
        with session(chosen, str(database)) as opened, opened.bench.contacted(HERE) as die:
            cells = np.arange(OUTPUTS**2)
            low = (kernel.conductance.T > LOW_ABOVE).ravel()
            parameters = ProgramAndVerifyParameters()
            list(program_and_verify(die, parameters, cells, low, LOW_ABOVE))
            conductance = np.mean([die.read(cells, 0.1).conductance for _ in range(8)], axis=0)
            inputs = np.random.default_rng(seed).uniform(-0.3, 0.3, (100, OUTPUTS))
            return inputs @ conductance.reshape(OUTPUTS, OUTPUTS), die.dot_product(0, inputs)

    return products


def test_the_twin_multiplies_as_the_chip_does(real, twin_of_kernel):
    """With the amplifiers that the first 50 vectors show, its products lie around the computed
    ones as those of the other 50 do. The slope of all is no parameter: outputs with shorts have
    the lowest gains, which puts it below the mean of the gains.
    """
    computed, measured = real
    fit = fit_front_end(computed[:50], measured[:50])
    front_end = ProductFrontEnd(gains=tuple(fit.gains), offset=fit.offset, noise=fit.noise)

    twin = quality(*twin_of_kernel(front_end))
    chip = quality(computed[50:], measured[50:])

    slopes = [slope(computed, measured), slope(*twin_of_kernel(front_end, seed=2))]
    assert slopes[0] == pytest.approx(0.954, abs=0.001)
    assert slopes[1] == pytest.approx(slopes[0], abs=0.012)
    assert slopes[1] < np.mean(fit.gains) - 0.005
    assert twin.correlation == pytest.approx(chip.correlation, abs=0.003)
    assert twin.residual == pytest.approx(chip.residual, abs=0.005)
    assert np.std(twin.column_gain) == pytest.approx(np.std(chip.column_gain), rel=0.25)
    assert twin.offset.estimate == pytest.approx(chip.offset.estimate, abs=2e-6)


def test_the_comparison_can_tell(real, twin_of_kernel):
    """Ideal amplifiers are no match, and neither are wires alone: 0.85 Ohm a segment give the right
    loss, but the outputs differ by a third of what they do on the chip.
    """
    chip = quality(*real)

    ideal = twin_of_kernel()
    assert slope(*ideal) == pytest.approx(1.0, abs=0.003)
    assert quality(*ideal).residual < 0.1 * chip.residual
    wired = twin_of_kernel(line_resistance=0.85)
    assert slope(*wired) == pytest.approx(slope(*real), abs=0.008)
    assert np.std(quality(*wired).column_gain) < 0.5 * np.std(chip.column_gain)
    assert quality(*wired).correlation > 0.999


def test_what_is_linear_is_not_noise(real):
    """Most of what is left around a line per output is linear in the inputs: no noise."""
    fit = fit_front_end(*real)

    assert fit.random_noise == pytest.approx(7.3e-6, abs=0.1e-6)
    assert fit.noise == pytest.approx(12.5e-6, abs=0.1e-6)


def test_the_command_gives_the_board_its_amplifiers(data_dir, lab, tmp_path):
    """`lab twin chip --kernel 17 --dot-products ...` writes them, with their errors."""
    folder = data_dir / "measured-dies"
    files = [str(folder / name) for name in FILES]
    assert lab("import", "conductance-map", str(folder), "--name", "chip").returncode == 0
    made = lab("twin", "chip", "--kernel", "17", "--dot-products", *files)
    assert made.returncode == 0, made.stderr
    checked = lab("run", "dot-product-check", "--bench", "twin.toml")
    assert checked.returncode == 0, checked.stderr

    configuration, _ = read_configuration(tmp_path / "twin.toml")
    front_end = configuration.simulation.front_end
    assert len(front_end.gains) == len(front_end.gain_errors) == OUTPUTS
    assert configuration.wafer.geometry.shape == (1, 25, 25)
    lost = lab("twin", "chip", "--dot-products", *files)
    assert "--kernel" in lost.stderr


def slope(computed, measured):
    """Of one line through everything, as the authors' figure has it."""
    return float(np.polyfit(computed.ravel(), measured.ravel(), 1)[0])
