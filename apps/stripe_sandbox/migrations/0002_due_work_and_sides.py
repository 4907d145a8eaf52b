from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


from apps.stripe_sandbox import moments


def fill_due_at(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    kept = apps.get_model("stripe_sandbox", "StoredObject")
    for row in kept.objects.filter(kind__in=("subscription", "invoice", "checkout.session")).iterator():
        if not row.body.get("_deleted"):
            kept.objects.filter(seq=row.seq).update(due_at=moments.earliest(row.body))


class Migration(migrations.Migration):

    dependencies = [
        ('stripe_sandbox', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='storedobject',
            name='due_at',
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='violation',
            name='side',
            field=models.CharField(choices=[('asked', 'Asked'), ('answered', 'Answered')], default='answered', max_length=10),
        ),
        migrations.AlterField(
            model_name='delivery',
            name='id',
            field=models.BigAutoField(primary_key=True, serialize=False),
        ),
        migrations.AlterField(
            model_name='fault',
            name='id',
            field=models.BigAutoField(primary_key=True, serialize=False),
        ),
        migrations.AlterField(
            model_name='violation',
            name='id',
            field=models.BigAutoField(primary_key=True, serialize=False),
        ),
        migrations.RunPython(fill_due_at, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name='storedobject',
            index=models.Index(fields=['clock', 'due_at'], name='stripe_sand_clock_34a09f_idx'),
        ),
    ]
