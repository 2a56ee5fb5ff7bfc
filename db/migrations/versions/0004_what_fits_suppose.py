"""What a fit supposes, how its cell fared in checks, and fits of a die or without a direction."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with op.batch_alter_table("fits", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "assumptions", sa.JSON(none_as_null=True), nullable=False, server_default="{}"
            )
        )
        batch_op.alter_column(
            "kind", existing_type=sa.String(length=20), type_=sa.String(length=40), nullable=False
        )
        batch_op.alter_column("cell", existing_type=sa.Integer(), nullable=True)
        batch_op.alter_column("target", existing_type=sa.String(length=8), nullable=True)
    op.create_table(
        "fit_checks",
        sa.Column("fit_id", ID, nullable=False),
        sa.Column("name", sa.String(length=30), nullable=False),
        sa.Column("p_value", sa.Double(), nullable=True),
        sa.Column("flagged", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["fit_id"], ["fits.id"], name=op.f("fk_fit_checks_fit_id")),
        sa.PrimaryKeyConstraint("fit_id", "name", name=op.f("pk_fit_checks")),
    )
