"""Which objects are copied, whatever their names and sizes."""

import pytest

from stage import ONE_PRINCIPAL, TWO_PRINCIPALS

HOW = pytest.mark.parametrize(
    ("mode", "principals"), [("server-side", ONE_PRINCIPAL), ("stream", TWO_PRINCIPALS)], ids=["server-side", "stream"]
)
# What URLs, shells and other programs take for something else. S3 takes all of it as it is. (`//` and `../` are tests
# in Rust: SeaweedFS does not store such keys as S3 does.)
ODD_NAMES = [
    "with space",
    "plus+sign",
    "literal%20percent",
    "100%",
    "slash%2Fquoted",
    "hash#tag",
    "question?mark=1",
    "$dollar&ampersand",
    "semi;colon,comma:at@",
    "<angle> \"quotes\" 'single'",
    "~tilde(1)!*",
    "übergröße",
    "日本語",
    "emoji-😀",
    "tab\tand\nnewline",
]


@HOW
def test_odd_keys_in_a_prefix_arrive_under_their_own_names(stage, mode, principals):
    stage.put_all({f"model/{name}/{name}": name.encode() for name in ODD_NAMES})
    stage.register_prefix()
    document = stage.promote("--copy-mode", mode, principals=principals)
    assert {found["source"] for found in document["artifacts"]} == {stage.uri(f"model/{n}/{n}") for n in ODD_NAMES}
    for artifact in document["artifacts"]:
        assert artifact["target"].endswith(artifact["source"].removeprefix("s3:/"))
    stage.assert_same_bytes(document)


@HOW
def test_odd_keys_of_single_objects_are_taken_as_they_are(stage, mode, principals):
    uris = [stage.put(f"{name}.tar.gz", name.encode()) for name in ODD_NAMES if name.isprintable()]
    stage.register(*({"ModelDataUrl": uri} for uri in uris))
    document = stage.promote("--copy-mode", mode, principals=principals)
    assert stage.bodies(stage.model_urls()) == stage.bodies(uris)
    assert len(document["artifacts"]) == len(uris)


@HOW
def test_empty_objects_are_copied(stage, mode, principals):
    stage.put_all({"model/__init__.py": b"", "model/weights.bin": b"weights"})
    stage.register_prefix()
    document = stage.promote("--copy-mode", mode, principals=principals)
    assert sorted(artifact["bytes"] for artifact in document["artifacts"]) == [0, 7]
    stage.assert_same_bytes(document)


@HOW
def test_folder_markers_are_copied(stage, mode, principals):
    # The prefix's own marker is a test in Rust: SeaweedFS loses a marker when a key below it is written meanwhile.
    stage.put_all({"model/empty/": b"", "model/weights.bin": b"weights"})
    stage.register_prefix()
    document = stage.promote("--copy-mode", mode, principals=principals)
    assert {found["source"] for found in document["artifacts"]} == {
        stage.uri("model/empty/"),
        stage.uri("model/weights.bin"),
    }
    assert stage.has_copies(document)


def test_a_prefix_of_3000_objects_arrives_completely(stage):
    stage.put_all({f"model/{number // 100}/{number}.bin": b"%d" % number for number in range(3000)})
    stage.register_prefix()
    document = stage.promote()
    assert len(document["artifacts"]) == 3000
    expected = {stage.uri(f"model/{number // 100}/{number}.bin") for number in range(3000)}
    assert {artifact["source"] for artifact in document["artifacts"]} == expected
    assert stage.has_copies(document)


def test_the_same_key_in_two_buckets_is_two_objects(stage):
    one = stage.put("model.tar.gz", b"one", "source-models")
    two = stage.put("model.tar.gz", b"two", "source-metrics")
    stage.register({"ModelDataUrl": one}, {"ModelDataUrl": two})
    stage.promote()
    assert stage.bodies(stage.model_urls()) == [b"one", b"two"]


def test_an_object_that_is_referred_to_twice_is_copied_once(stage):
    model = stage.put("model.tar.gz", b"weights")
    stage.register({"ModelDataUrl": model}, {"ModelDataUrl": model})
    document = stage.promote()
    (artifact,) = document["artifacts"]
    assert len(artifact["fields"]) == 2
    assert stage.model_urls() == [artifact["target"]] * 2


def test_a_missing_object_is_named_with_its_field_and_nothing_is_written(stage):
    there = stage.put("model.tar.gz", b"weights")
    stage.register({"ModelDataUrl": there}, {"ModelDataUrl": stage.uri("gone.tar.gz")})
    run = stage.full()
    assert (run.code, run.failure["outcome"]) == (1, "failed")
    assert "InferenceSpecification.Containers[1].ModelDataUrl" in run.stderr
    assert stage.uri("gone.tar.gz") in run.stderr
    assert stage.versions() == [] and stage.copies() == {}


def test_a_variable_that_points_nowhere_stays_and_is_reported(stage):
    model, nowhere = stage.put("model.tar.gz", b"weights"), stage.uri("no-such.tar.gz")
    stage.register({"ModelDataUrl": model, "Environment": {"LOOKUP_TABLE": nowhere}})
    document = stage.promote()
    assert nowhere in {listed["value"] for listed in document["not_carried"]}
    (version,) = stage.versions()
    (container,) = version["InferenceSpecification"]["Containers"]
    assert container["Environment"] == {"LOOKUP_TABLE": nowhere}


def test_a_folder_that_a_container_loads_from_is_copied_and_has_to_exist(stage):
    weights = stage.uri("llama/")
    stage.register({"Environment": {"HF_MODEL_ID": weights}})
    missing = stage.full()
    assert (missing.code, stage.versions()) == (1, []) and weights in missing.stderr
    stage.put("llama/config.json", b"{}")
    stage.put("llama/1.safetensors", b"weights")
    assert len(stage.promote()["artifacts"]) == 2
