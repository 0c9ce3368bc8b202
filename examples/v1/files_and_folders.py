"""Uploads one way and the other, and gets everything back."""
import io
import os
from os.path import join

from azureml.core import Workspace, Experiment

experiment = Experiment(Workspace.from_config(), 'files')
run = experiment.start_logging(outputs='exports', snapshot_directory=None)

os.makedirs('report/figures', exist_ok=True)
for name, text in [('report/index.md', '# Report\n'), ('report/figures/a.txt', 'a'), ('report/figures/b.txt', 'b')]:
    with open(name, 'w') as handle:
        handle.write(text)

# a folder, under another name
run.upload_folder(name='my report', path='report')

# two files, under names of their own
run.upload_files(names=['models/first.txt', 'models/second.txt'],
                 paths=['report/figures/a.txt', 'report/figures/b.txt'])

# a file, as a stream and from the disk
run.upload_file('notes/stream.txt', io.BytesIO(b'written by a stream'))
run.upload_file(name='./notes/' + os.path.basename('report/index.md'), path_or_stream='./report/index.md')

# files of an output folder are taken at the end
with open(join('exports', 'weights.csv'), 'w') as handle:
    handle.write('1,2,3\n')

print(sorted(name for name in run.get_file_names()))
run.download_file(name='models/first.txt', output_file_path='fetched/first.txt')
run.download_files(prefix='my report', output_directory='fetched', append_prefix=False)
fetched = []
for root, dirs, files in os.walk('fetched'):
    for file in files:
        fetched.append(os.path.relpath(join(root, file), 'fetched').replace(os.sep, '/'))
run.log_list('fetched', sorted(fetched))
run.log('number of files', len(run.get_file_names()))
run.complete()
