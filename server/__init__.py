"""The Litestar server around the engine in `sync`: one folder a stage, in the order of the data's way."""
